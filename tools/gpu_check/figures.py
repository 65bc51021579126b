"""The figures of a call, as rows of the table in docs/gpu.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tools.gpu_check import proofs, prove, shards, study

# Of a table with nothing in it yet.
EMPTY = ("–", "–", "–")


def key(row: str) -> tuple[str, ...]:
    """What identifies a row: date, device and step."""
    cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
    return (cells[0], cells[2], cells[3]) if len(cells) == 5 else (row,)


def rows(
    summary: Mapping[str, Any], tables: Mapping[str, Any], commit: str, records: int
) -> list[str]:
    """A row per step: date, commit, device, step, figures.

    Args:
        summary: of the archive.
        tables: by the name of their file.
        commit: as it is to be named.
        records: how many the archive holds.
    """
    date = summary["started"][:16].replace("T", " ")
    found = []
    for step in summary["steps"]:
        name = step["name"]
        words = _words(name, tables)
        if name == "study":
            words = f"{words}; {records} records"
        if step["state"] != "done":
            how = step["state"] + (f" ({step['status']})" if step["status"] is not None else "")
            words = f"{how}; {words}"
        if summary.get("rehearsal"):
            words = f"a rehearsal, no GPU: {words}"
        cells = (date, commit, summary["device"], name, words.replace("|", "/"))
        found.append(f"| {' | '.join(cells)} |")
    return found


def _words(step: str, tables: Mapping[str, Any]) -> str:
    if step.startswith("speed-"):
        return _speed(tables.get(f"{step}.json"))
    makers = {"facts": _facts, "proofs": _proofs, "tests": _tests, "study": _study}
    files = {"facts": "facts.json", "proofs": proofs.TABLE, "tests": shards.TABLE}
    return makers[step](tables.get(files.get(step, study.TABLE)))


def _facts(table: Any) -> str:
    if table is None:
        return "no figures"
    peaks = [f"{name} {value:,g}" for name, value in table.items() if name.startswith("peak")]
    return f"torch {table['torch']}, CUDA {table['cuda']}; {'; '.join(peaks) or 'no peaks'}"


def _proofs(table: Any) -> str:
    if table is None:
        return "no proofs"
    tried = [proof for proof in table if proof["tried"]]
    failed = [f"{proof['case']} ({proof['reason']})" for proof in tried if not proof["ok"]]
    parts = [f"{len(tried) - len(failed)} of {len(tried)} cases proved, {len(table)} in all"]
    parts += [f"not: {'; '.join(failed[:3])}"] if failed else []
    refused = [p for p in table if p["reason"].startswith(prove.SKIPPED)]
    late = [p for p in table if not p["tried"] and p not in refused]
    seen = _methods(tried)
    for what, those in (("skipped", refused), ("no case tried", late)):
        names = sorted(_methods(those) - seen)
        seen |= _methods(those)
        if names:
            parts.append(f"{what}: {', '.join(names)}")
    return "; ".join(parts)


def _methods(table: Iterable[Mapping[str, Any]]) -> set[str]:
    return {proof["case"].partition(" on ")[0] for proof in table}


def _tests(table: Any) -> str:
    if table is None:
        return "no test ended"
    counts: Counter[str] = Counter()
    for result in table:
        counts.update({k: result.get(k, 0) for k in ("tests", "failures", "errors", "skipped")})
    bad = counts["failures"] + counts["errors"]
    passed = counts["tests"] - bad - counts["skipped"]
    cut = [result["file"] for result in table if result["state"] != "ended"]
    names = [test for result in table for test in result.get("failed", ())]
    text = f"{passed} passed, {bad} failed, {counts['skipped']} skipped"
    text += f"; failed: {', '.join(names)}" if names else ""
    return text + (f"; not ended: {', '.join(cut)}" if cut else "")


def _speed(table: Any) -> str:
    if table is None:
        return "nothing timed"
    late = [row["engine"] for row in table if not row.get("tried", True)]
    parts = [_engine(row) for row in table if row.get("tried", True)]
    return "; ".join([*parts, *([f"no time for {' / '.join(late)}"] if late else [])])


def _engine(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"{row['engine']}: {row['error']}"
    memory = "" if row["peak GiB"] is None else f", {row['peak GiB']:g} GiB"
    share = f"{row['% of floor']:g} % of the floor"
    return f"{row['engine']}: {row['img/s']:,} img/s, {share}, {row['s/run']:,g} s a run{memory}"


def _study(table: Any) -> str:
    if table is None:
        return "no suite begun"
    return "; ".join(_part(part) for part in table)


def _part(part: Mapping[str, Any]) -> str:
    if not part["backend"]:
        return f"{part['suite']}: {part['reason']}"
    slots = "" if part["slots"] is None else f", {part['slots']} slots"
    how = f"{part['suite']}: {part['backend']}{slots} ({part['reason']})"
    if part["status"] is None:
        return f"{how}, cut off"
    refused = "" if part["status"] in (0, 1) else f"refused ({part['status']}) after "
    return f"{how}, {refused}{part['seconds']:,.0f} s"
