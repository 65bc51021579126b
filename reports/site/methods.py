"""Pages of methods: one method over all studies, from the payloads of the studies."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nlbench.reports.text import NONE

FOLDER = "methods"
_ARXIV = re.compile(r"arXiv[: ]\s*(\d{4}\.\d{4,5})", re.IGNORECASE)


def arxiv(source: str) -> str:
    """The address of the paper that a source names; "" without one."""
    paper = _ARXIV.search(source)
    return f"https://arxiv.org/abs/{paper[1]}" if paper else ""


def method_pages(
    suites: Sequence[Mapping[str, Any]], about: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What the pages show, methods by title.

    Args:
        suites: payloads of the studies, each with its ``file``.
        about: registered name -> ``title``, ``summary`` and ``facts`` of a method; those that no
            study has get no page.
    """
    files = _files(about)
    found = []
    for name, words in about.items():
        studies = [study for suite in suites if (study := _study(suite, name)) is not None]
        if studies:
            found.append({**words, "name": name, "file": files[name], "studies": studies})
    return sorted(found, key=lambda page: (str(page["title"]).lower(), page["name"]))


def _files(names: Mapping[str, Any]) -> dict[str, str]:
    """Name -> file, safe in any file system and different for all."""
    safe = {name: re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "method" for name in names}
    taken: Counter[str] = Counter()
    files = {}
    for name, stem in safe.items():
        taken[stem.lower()] += 1
        again = taken[stem.lower()]
        files[name] = f"{FOLDER}/{stem}{f'.{again}' if again > 1 else ''}.html"
    return files


def _study(suite: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    board = suite["board"]
    mine = [row for row in board["rows"] if name in _names(row)]
    if not mine:
        return None
    sizes = Counter(
        (row["block"], row["noise_order"]) for row in board["rows"] if row["rank"] is not None
    )
    labels = list(dict.fromkeys(row["method"] for row in mine))
    return {
        "file": suite["file"],
        "title": suite["title"],
        "baseline": board["baseline"],
        "labels": labels if len(labels) > 1 else [],
        "data": bool(board["blocks"]),
        "notes": suite["of_methods"].get(name, []),
        "sentences": [claim["sentence"] for claim in suite["claims"] if claim["method"] in labels],
        "rows": [_row(row, sizes[row["block"], row["noise_order"]]) for row in mine],
    }


def _row(row: Mapping[str, Any], size: int) -> dict[str, Any]:
    shown = row["shown"]
    return {
        "id": row["id"],
        "noise": row["pretty"],
        "label": row["method"],
        "data": row["data"],
        "best": row["tie_group"] == 1,
        "mean": shown["mean"],
        "rank": shown["rank"],
        "of": size,
        "group": NONE if row["tie_group"] is None else row["tie_group"],
        "diff": shown["diff"],
        "interval": shown["diff_interval"] or NONE,
        "p": shown["diff_p_holm"],
        "n": shown["n"],
    }


def _names(row: Mapping[str, Any]) -> list[str]:
    """Registered names behind a row; a leaderboard lists several as JSON."""
    name = str(row["method_name"])
    return list(json.loads(name)) if name.startswith("[") else [name]
