"""What `nlbench report` prints: the answer first, and a row for each of many methods."""

from __future__ import annotations

from pathlib import Path

from nlbench.reports.build import build_report
from nlbench.reports.speed.made_up_records import METHODS, declared, made_up

NOISE = ("clean", "symmetric:0.4")


def test_few_methods_are_columns_and_the_answer_comes_first(tmp_path: Path) -> None:
    lines = _printed(("ce", "gce"), tmp_path)
    assert [line.partition(":")[0] for line in lines[1:4]] == [
        "Who leads",
        "By how much",
        "How sure",
    ]
    assert [line.split() for line in lines if line.startswith("noise")] == [["noise", "ce", "gce"]]
    assert sum(line.startswith("- gce ") for line in lines) == len(NOISE)


def test_many_methods_are_rows_in_the_order_of_their_means(tmp_path: Path) -> None:
    lines = _printed(METHODS, tmp_path)
    (head,) = [at for at, line in enumerate(lines) if line.startswith("method ")]
    rows = lines[head + 2 : head + 2 + len(METHODS)]
    means = [float(row.split()[-1].rstrip("*")) for row in rows]
    assert means == sorted(means, reverse=True)
    assert max(map(len, rows)) < 80
    assert not any(line.startswith("- ") for line in lines)


def _printed(methods: tuple[str, ...], out: Path) -> list[str]:
    study = declared(10 * len(methods), methods, NOISE)
    return build_report(study, made_up(study), out, only="leaderboard").text.splitlines()
