"""Merge several people's leaderboards of one suite, or give the reason why not."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nlbench.reports.errors import ReportError
from nlbench.reports.leaderboard.columns import LEADERBOARD_SCHEMA

PLACE = ("dataset", "train_per_class", "holdout", "model", "profile", "condition", "accuracy_rule")
NUMBERS = ("mean", "sd", "n", "expected_n", "ci_low", "ci_high", "min", "max", "realised_rate")
# Columns that are numbers too where a file has them.
FURTHER = (
    "median", "nominal_rate", "diff", "diff_ci_low", "diff_ci_high", "diff_p_holm",
    "diverged", "failed", "missing", "collapsed", "paired",
)  # fmt: skip
NEEDED = (
    "schema", "scope", "suite", "suite_sha256", "data_label", "method", "noise_fingerprints",
    *PLACE, *NUMBERS,
)  # fmt: skip
# Columns that are left out: a test across files needs the runs themselves.
NOT_MERGED = ("rank", "tie_group", "in_best_set", "iqm", "worst_condition")
Line = tuple[str, int, dict[str, str] | str]  # file, line, and the row or what is wrong with it


@dataclass(frozen=True)
class Merged:
    """The outcome of a merge.

    Attributes:
        table: accepted rows of scope ``condition`` with a column ``source``; rank and tie groups
            are left out, because a test across files needs the runs themselves.
        refused: one line per row that was not taken: which file and line, and why.
    """

    table: pd.DataFrame
    refused: tuple[str, ...]


def merge(files: Sequence[Path]) -> Merged:
    """Put leaderboards below each other; the first file sets what the others must agree with.

    A row is refused if its schema or suite hash differs, if a number is not one or out of range,
    if a seed's label set differs from the one the first file used in that condition, or if the
    same method is there already with another result. Rows of scope ``overall`` are recomputed
    from runs, never merged.

    Args:
        files: ``leaderboard.csv`` files, at least one.

    Raises:
        ReportError: no files, a file that cannot be read or lacks a column.
    """
    if not files:
        raise ReportError("leaderboard merge: no files given")
    return combine(line for file in files for line in read(file))


def combine(lines: Iterable[Line]) -> Merged:
    """Put lines of leaderboards below each other; see :func:`merge`."""
    suite: str | None = None
    labels: dict[tuple[str, ...], dict[str, str]] = {}
    taken: dict[tuple[str, ...], dict[str, str]] = {}
    refused: list[str] = []
    for file, line, row in lines:
        if isinstance(row, str):
            refused.append(f"{file}, line {line}: {row}")
            continue
        if row["scope"] == "overall":
            continue
        where = f"{file}, line {line} ({row['method']}, {row['condition']})"
        suite = suite or row["suite_sha256"]
        reason = _unfit(row, suite) or _other_labels(row, labels) or _clash(row, taken)
        if reason:
            refused.append(f"{where}: {reason}")
            continue
        _learn(row, labels)
        taken.setdefault(key_of(row), {**row, "source": row.get("source") or file})
    table = pd.DataFrame(list(taken.values())).drop(columns=list(NOT_MERGED), errors="ignore")
    return Merged(table, tuple(refused))


def read(file: Path) -> Iterator[Line]:
    """A file's rows as text with their lines; of a row of another width, what is wrong.

    Raises:
        ReportError: it cannot be read, or lacks a column.
    """
    if file.exists() and not file.is_file():
        raise ReportError(f"leaderboard {file}: is no file")
    try:
        with file.open(encoding="utf-8", newline="") as text:
            reader = csv.reader(text)
            names = next(reader, [])
            missing = [name for name in NEEDED if name not in names]
            if missing:
                raise ReportError(
                    f"leaderboard {file}: column {missing[0]!r} is missing; give the"
                    " leaderboard.csv of `nlbench report`"
                )
            for values in reader:
                if len(values) == len(names):
                    yield str(file), reader.line_num, dict(zip(names, values, strict=True))
                elif values:
                    wrong = f"{len(values)} columns instead of the {len(names)} of the first line"
                    yield str(file), reader.line_num, wrong
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReportError(f"leaderboard {file}: cannot be read ({error})") from error


def _unfit(row: dict[str, str], suite: str) -> str:
    """Why a row alone cannot be taken; empty if it can."""
    if row["schema"] != str(LEADERBOARD_SCHEMA):
        return (
            f"schema {row['schema']!r} is not {LEADERBOARD_SCHEMA}, the one this version of nlbench"
            " writes; make the file again with `nlbench report`"
        )
    if row["scope"] != "condition":
        return f"scope {row['scope']!r} should be condition or overall"
    if row["suite_sha256"] != suite:
        return (
            f"suite hash {row['suite_sha256'][:12]!r} is not {suite[:12]!r}, the first file's:"
            " other runs declared; only results of the same suite can be merged"
        )
    return _no_number(row) or _out_of_range(row)


def _no_number(row: dict[str, str]) -> str:
    for name in (*NUMBERS, *FURTHER):
        value = row.get(name, "")
        if value != "" and not _is_number(value):
            return f"{name} = {value!r} is not a number (a plain one such as 0.25, or nothing)"
    return ""


def _out_of_range(row: dict[str, str]) -> str:
    value = {name: float(row[name]) for name in NUMBERS if row[name] != ""}
    for name in ("mean", "min", "max"):
        if not 0 <= value.get(name, 0) <= 100:
            return f"{name} = {row[name]} is not a percentage (0 to 100)"
    if value.get("sd", 0) < 0:
        return f"sd = {row['sd']} is below 0"
    if "n" not in value or not 0 <= value["n"] <= value.get("expected_n", 0) or value["n"] % 1:
        return f"n = {row['n']!r} is not between 0 and expected_n = {row['expected_n']!r}"
    for low, high in (("min", "max"), ("ci_low", "ci_high")):
        ends = [value.get(name, value.get("mean", 0)) for name in (low, "mean", high)]
        if not ends[0] - 1e-6 <= ends[1] <= ends[2] + 1e-6:
            return (
                f"mean = {row['mean']} is not between {low} = {row[low]} and {high} = {row[high]}"
            )
    return ""


def _other_labels(row: dict[str, str], labels: dict[tuple[str, ...], dict[str, str]]) -> str:
    known = labels.get(_condition(row), {})
    for seed, print_ in _prints(row).items():
        if known.get(seed, print_) != print_:
            return (
                f"noise fingerprint of seed {seed} is {print_}, the others trained on"
                f" {known[seed]}: not the same labels (`nlbench noise verify` finds which differ)"
            )
    return ""


def _clash(row: dict[str, str], taken: dict[tuple[str, ...], dict[str, str]]) -> str:
    other = taken.get(key_of(row))
    if other is None or all(other[name] == row[name] for name in ("mean", "sd", "n")):
        return ""
    return f"{row['method']} is there already from {other['source']} with another result"


def _learn(row: dict[str, str], labels: dict[tuple[str, ...], dict[str, str]]) -> None:
    labels.setdefault(_condition(row), {}).update(_prints(row))


def _condition(row: dict[str, str]) -> tuple[str, ...]:
    """Noisy labels depend on data, noise and seed only."""
    return (row["dataset"], row["train_per_class"], row["data_label"], row["condition"])


def key_of(row: dict[str, str]) -> tuple[str, ...]:
    """What no two rows of a leaderboard share: a method of one origin in one condition."""
    return (
        *(row[name] for name in PLACE),
        row["method"],
        row.get("params", ""),
        row.get("recipe", ""),
        row.get("origin", ""),
    )


def _prints(row: dict[str, str]) -> dict[str, str]:
    pairs = (item.partition(":") for item in row["noise_fingerprints"].split())
    return {seed: print_ for seed, _, print_ in pairs}


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text) and abs(float(text)) != float("inf")
    except ValueError:
        return False
