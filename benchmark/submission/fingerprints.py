"""Checks of what everybody must train on: the same images, labels, split, weights and batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping

from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.submission.check import Check
from nlbench.benchmark.submission.places import Place
from nlbench.benchmark.submission.submitted import Submission, some

# Fingerprint in a record -> what it is of, in messages.
WORDS = {
    "data": "images",
    "labels": "noisy labels",
    "split": "validation split",
    "init": "first weights",
    "order": "order of batches",
    "augment": "augmentation",
}
SHORT = 12  # hex digits of a fingerprint in messages
Key = tuple[str, Hashable]


def prints(record: RunRecord) -> Iterator[tuple[Key, str]]:
    """Each fingerprint of a record with what it depends on; equal keys must have equal ones."""
    spec = record.spec
    place: Hashable = Place.of(spec)
    of: dict[str, Hashable] = {
        "data": spec.dataset.images,
        "labels": (spec.dataset.images, spec.noise, spec.seed),
    }
    for kind in WORDS:
        if found := record.pairing.get(kind):
            yield (kind, of.get(kind, place)), found


def pairing(submission: Submission) -> Check:
    """The runs of all methods with the same seed and condition have the same fingerprints."""
    problems, trained = [], [r for r in submission.records if r.status != "failed"]
    for kind, words in WORDS.items():
        if lacking := [r for r in trained if not r.pairing.get(kind)]:
            problems.append(some(lacking, f"no fingerprint of its {words}"))
    seen: dict[Key, dict[str, list[RunRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in trained:
        for key, found in prints(record):
            seen[key][found].append(record)
    for (kind, _), by_print in seen.items():
        if len(by_print) > 1:
            problems.append(_two(WORDS[kind], by_print))
    places = {Place.of(record.spec) for record in trained}
    found = f"equal images, labels, split, weights and batches for all methods in {len(places)}"
    return Check("pairing", f"{found} pairs of condition and seed", tuple(problems))


def published(submission: Submission, ours: Mapping[Key, str]) -> Check:
    """Where we have published records of a condition and seed, the fingerprints are theirs."""
    wrong: dict[tuple[str, str, str], list[RunRecord]] = defaultdict(list)
    asked: set[Key] = set()
    for record in submission.records:
        for key, found in prints(record):
            asked.add(key)
            if found != ours.get(key, found):
                wrong[WORDS[key[0]], found, ours[key]].append(record)
    known = asked & ours.keys()
    problems = [
        some(runs, f"{words} {found[:SHORT]} are not our {right[:SHORT]}: {REMEDY}")
        for (words, found, right), runs in wrong.items()
    ]
    counts = [
        f"{sum(k == kind for k, _ in known)} of {sum(k == kind for k, _ in asked)} {words}"
        for kind, words in WORDS.items()
    ]
    if not known:
        return Check("fingerprints", "no published records with these labels", compared=False)
    return Check("fingerprints", f"as in our records: {', '.join(counts)}", tuple(problems))


REMEDY = "run the suite as it is, on the data set that `nlbench list datasets` names"


def _two(words: str, by_print: Mapping[str, list[RunRecord]]) -> str:
    """Which methods differ in one fingerprint."""
    at = next(iter(by_print.values()))[0].spec
    who = "; ".join(
        f"{found[:SHORT]}: {', '.join(sorted({r.spec.method.name for r in runs}))}"
        for found, runs in by_print.items()
    )
    return (
        f"{at.dataset.group}, {at.noise}, seed {at.seed}: {words} differ ({who}); methods are"
        " compared on the same ones"
    )
