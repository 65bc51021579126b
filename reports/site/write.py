"""Pages on disk, with names that are safe as file names and links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlbench.noise import whole
from nlbench.reports.errors import ReportError
from nlbench.reports.site.methods import FOLDER, method_pages
from nlbench.reports.site.render import index_html, method_html, page_html

INDEX = "index.html"


@dataclass(frozen=True)
class Page:
    """One written page.

    Attributes:
        suite: its suite; "" for the page of a method and the index.
        path: where it is.
        bytes: its size.
    """

    suite: str
    path: Path
    bytes: int


def write_pages(
    payloads: Sequence[Mapping[str, Any]],
    out: Path,
    about: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Page, ...]:
    """Write a page per payload, one per method and the index; other files are left alone.

    Args:
        payloads: of the studies; the first is the index's headline.
        out: folder, made if it is not there.
        about: registered name -> what the page of a method has of it; none without.

    Returns:
        The pages: studies, methods, the index last.

    Raises:
        ReportError: two suites of one name, or a folder that cannot be written.
    """
    names = [file_name(str(p["name"])) for p in payloads]
    lower = [name.lower() for name in names]  # some file systems ignore case
    twice = sorted({name for name in lower if lower.count(name) > 1})
    if twice:
        raise ReportError(f"two suites would both be written to {out / twice[0]}; rename one")
    entries = [{**p, "file": name} for p, name in zip(payloads, names, strict=True)]
    methods = method_pages(entries, about or {})
    links = {str(method["name"]): str(method["file"]) for method in methods}
    texts = {str(e["file"]): page_html({**e, "method_pages": links}) for e in entries}
    texts |= {str(method["file"]): method_html(method) for method in methods}
    texts[INDEX] = index_html(entries, methods)
    try:
        (out / FOLDER if methods else out).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            whole.write_text(out / name, text)
    except OSError as error:
        raise ReportError(f"folder {out}: {error.strerror or error}") from error
    suites = [*(str(p["name"]) for p in payloads), *("" for _ in methods), ""]
    return tuple(
        Page(suite, out / name, len(text.encode()))
        for suite, (name, text) in zip(suites, texts.items(), strict=True)
    )


def file_name(suite: str) -> str:
    """``fashion.html``; anything but letters, digits, ``.``, ``_`` and ``-`` becomes ``-``."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", suite).strip("-.") or "suite"
    return "suite-index.html" if stem.lower() == "index" else f"{stem}.html"
