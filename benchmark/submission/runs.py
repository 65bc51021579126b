"""Checks of which runs a submission has: sound ones, the suite's, all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from nlbench.benchmark.submission.check import Check
from nlbench.benchmark.submission.places import Place, Places, Setting, grouped
from nlbench.benchmark.submission.submitted import Submission, some

SHORT = 12  # hex digits of a hash in messages


def records(submission: Submission) -> Check:
    """Every record is whole, its values are in range and agree, and no run failed."""
    problems = list(submission.refused)
    if failed := [r for r in submission.records if r.status == "failed"]:
        problems.append(some(failed, "failed; `nlbench run SUITE --retry` repeats failed runs"))
    diverged = sum(record.status == "diverged" for record in submission.records)
    words = f"{len(submission.records)} records, each whole and its values in range"
    return Check("records", words + (f"; {diverged} diverged" if diverged else ""), tuple(problems))


def suite(submission: Submission, places: Places) -> Check:
    """Each run is the suite's, or of a method of one's own where the suite has its baseline."""
    own, strays = 0, defaultdict(list)
    for record in submission.records:
        if not places.admits(record.spec):
            strays[places.stray(record.spec)].append(record)
        elif record.run_id not in places.ids:
            own += 1
    theirs, name = len(submission.records) - own, places.suite.name
    sha256 = places.suite.sha256
    if submission.sha256 == sha256:
        found = f"exactly the {theirs} runs of suite {name}, hash {sha256[:SHORT]}"
    else:
        found = (
            f"{theirs} of the {len(places.ids)} runs of suite {name}, hash {sha256[:SHORT]}, and"
            f" {own} of other methods or settings at its places"
        )
    return Check("suite", found, tuple(some(r, reason) for reason, r in strays.items()))


def seeds(submission: Submission, places: Places) -> Check:
    """Every method has every condition and every seed: none was chosen by its result."""
    problems: list[str] = []
    for name in submission.methods:
        specs = [record.spec for record in submission.of(name) if places.admits(record.spec)]
        have = {Place.of(spec) for spec in specs}
        lines = list(_lacking(name, places.needed(name) - have))
        if not lines:  # every place is there: is it with one setting, or with the best of several?
            for setting, found in grouped(specs, Setting.of).items():
                lines += _lacking(str(setting), places.needed_with(setting) - found)
        problems += lines if have else [f"{name}: no run at a place of the suite"]
    conditions = {(place.group, place.noise) for place in places.open}
    count = len({place.seed for place in places.open})
    return Check(
        "seeds",
        f"{', '.join(submission.methods)}: all {count} seeds in each of {len(conditions)}"
        " conditions",
        tuple(problems),
    )


def _lacking(who: str, missing: Collection[Place]) -> Iterator[str]:
    """A line for each condition in which seeds are missing."""
    by_condition = defaultdict(set)
    for place in missing:
        by_condition[place.dataset.group, place.noise].add(place.seed)
    for (data, noise), found in sorted(by_condition.items()):
        word = "seed" if len(found) == 1 else "seeds"
        yield (
            f"{who} on {data}, {noise}: no run of {word} {', '.join(map(str, sorted(found)))};"
            " every method has every condition and seed of the suite"
        )
