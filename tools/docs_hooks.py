"""Hooks of mkdocs: files of the repository that pages link to become part of the site.

A page of docs/ may link to ``../results/published/fashion/index.md``, as it must where the
repository is read on the web. Each such file is taken in, and what it links to in turn, so that no
link leaves the site for a file; README.md is the first page. Links are written anew for where pages
are then. The version in pyproject.toml is part of every page.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
# Pages that no page needs to link to.
ALSO = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
# A link or picture of Markdown: what is before its target, the target, its anchor.
_LINK = re.compile(r"(\]\()([^)#\s]*)(#[^)\s]*)?(?=[\s)])")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


def links(text: str) -> Iterator[tuple[str, str]]:
    """Target and anchor (``#...`` or empty) of every relative link outside of code blocks."""
    for line, code in _lines(text):
        if not code:
            for _, target, anchor in _LINK.findall(line):
                if "://" not in target and not target.startswith("mailto:"):
                    yield target, anchor


def taken_in() -> dict[str, Path]:
    """Place in the site -> file, for every file outside docs/ that the site needs."""
    waiting = [*(ROOT / name for name in ALSO), *sorted(DOCS.rglob("*.md"))]
    seen: set[Path] = set()
    while waiting:
        page = waiting.pop()
        if page in seen or not page.is_file():
            continue
        seen.add(page)
        if page.suffix == ".md":
            text = page.read_text("utf-8")
            waiting += [_meant(page, target) for target, _ in links(text) if target]
    return {_place(file): file for file in sorted(seen) if not file.is_relative_to(DOCS)}


def rewritten(text: str, page: Path) -> str:
    """The text of a page with its links as they must be in the site."""
    here = Path(_place(page)).parent

    def new(found: re.Match[str]) -> str:
        before, target, anchor = found.groups()
        if not target or "://" in target or not _meant(page, target).is_file():
            return found[0]  # what is missing is for mkdocs to complain of
        moved = Path(os.path.relpath(_place(_meant(page, target)), here)).as_posix()
        return f"{before}{moved}{anchor or ''}"

    return "".join(line if code else _LINK.sub(new, line) for line, code in _lines(text))


def described() -> tuple[str, str]:
    """The version that the pages describe, and what the first section of CHANGELOG.md is called."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (title,) = re.findall(r"^## (.+)$", changes, re.MULTILINE)[:1]
    return project["version"], title


def on_config(config: Any) -> Any:
    """Every page states which version it describes."""
    version, title = described()
    config.site_name = f"nlbench {version}"
    config.copyright = f"These pages describe nlbench {title}."
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add what is taken in."""
    generated = next(iter(files)).generated  # a class method of mkdocs' File
    for place, file in taken_in().items():
        files.append(generated(config, place, abs_src_path=str(file)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Write the links anew."""
    return rewritten(markdown, Path(page.file.abs_src_path))


def _meant(page: Path, target: str) -> Path:
    return Path(os.path.normpath(page.parent / target))


def _place(file: Path) -> str:
    """Where a file of the repository is in the site; that of README.md is index.md."""
    if file == ROOT / "README.md":
        return "index.md"
    return file.relative_to(DOCS if file.is_relative_to(DOCS) else ROOT).as_posix()


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is part of a fenced code block."""
    inside = False
    for line in text.splitlines(keepends=True):
        fence = bool(_FENCE.match(line))
        yield line, inside or fence
        inside ^= fence
