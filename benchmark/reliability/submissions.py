"""The attack on submissions: archives of records that were changed and signed anew."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from nlbench import noise
from nlbench.benchmark.reliability import crafted, mutations
from nlbench.benchmark.reliability.attack import Place, quietly, wrong_answer
from nlbench.benchmark.reliability.inputs import TINY
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.store import Store

ORIGIN = ["--origin", "A. Author, https://example.org"]


def broken_submissions(place: Place) -> Iterator[str]:
    """``submit check``, ``leaderboard add`` and ``page`` of archives and leaderboards."""
    rng = noise.generator("nlbench-reliability", "submissions", place.seed)
    suite, results = place.folder / "tiny.toml", place.folder / "results"
    suite.write_text(TINY)
    where = ["--results", str(results)]
    quietly(place, ["run", str(suite), *where, "--device", "cpu", "--workers", "1"])
    records = {r.run_id: r.to_json() for r in Store.open(results / "runs").records()}
    path, board, bad = (place.folder / name for name in ("a.tar.gz", "board.csv", "bad.csv"))
    of_suite = ["--suite", str(suite), *where]
    add = ["leaderboard", "add", str(path), *of_suite, *ORIGIN, "--to"]
    archive.pack(path, {run_id: text.encode() for run_id, text in records.items()})
    # No published study, and no clean commit perhaps: then there is no leaderboard to change.
    wrong_answer(place.command, [*add, str(board)])
    whole = path.read_bytes()
    while True:
        kind = rng.integers(10)
        if kind < 8:
            texts = _changed(records, rng)
            archive.pack(path, texts)
        else:
            path.write_bytes(mutations.broken(whole, rng))
        seen = wrong_answer(place.command, ["submit", "check", str(path), *of_suite])
        if not seen and kind == 0:
            bad.unlink(missing_ok=True)
            seen = wrong_answer(place.command, [*add, str(bad)])
        if not seen and kind == 1 and board.exists():
            bad.write_bytes(mutations.broken(board.read_bytes(), rng))
            page = ["leaderboard", "page", str(bad), "--out", str(place.folder / "a.html")]
            seen = wrong_answer(place.command, page)
        yield seen


def _changed(records: dict[str, str], rng: mutations.Rng) -> dict[str, bytes]:
    """The archive's texts with a value or two of some records changed, each with its digest."""
    texts = {run_id: text.encode() for run_id, text in records.items()}
    for run_id in rng.permutation(list(records))[: 1 + rng.integers(3)].tolist():
        values: dict[str, Any] = json.loads(texts.pop(run_id))
        for _ in range(1 + rng.integers(2)):
            mutations.change(values, rng)
        with contextlib.suppress(KeyError, TypeError, ValueError):  # the spec itself may be gone
            values["run_id"] = sha256_of(values["spec"])[:16]
        name = str(values.get("run_id", run_id))
        try:
            texts[name] = crafted.signed(values)
        except (TypeError, ValueError):  # a value that JSON does not have
            texts[name] = b"{}"
    return texts
