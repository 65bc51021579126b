"""Which code of its method made each run, where that is not one and the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd


def source_warnings(
    runs: pd.DataFrame, titles: Mapping[str, str], sources: Mapping[str, str]
) -> list[str]:
    """A line per method whose records several sources made, or another one than is here now.

    Args:
        runs: the frame's.
        titles: how tables call a method, by its name.
        sources: the source of each method in this process, by its name; a method that is not in it
            is only asked whether its records agree.
    """
    lines = []
    there = runs[runs["status"] != "missing"]
    for name, rows in there.groupby("method_name", sort=False):
        method = str(name)
        counts = Counter(map(str, rows["method_source"]))
        now = sources.get(method)
        if set(counts) == {now} or (now is None and len(counts) == 1):
            continue
        made = [f"{count} by {_described(s, counts, now)}" for s, count in sorted(counts.items())]
        what = (
            f"its numbers mix {len(counts)} sources of the method"
            if len(counts) > 1
            else "its runs were made by another source of the method than there is now"
        )
        here = "" if now is None else f"; now it is {_described(now, counts, now)}"
        lines.append(f"{titles.get(method, method)}: {what} ({', '.join(made)}{here})")
    return lines


def _described(source: str, recorded: Mapping[str, int], now: str | None) -> str:
    if source:
        return source[: len("sha256:") + 8]
    outside = any(one.startswith("sha256:") for one in (*recorded, now or ""))
    return "a source that was not recorded" if outside else "version 1"
