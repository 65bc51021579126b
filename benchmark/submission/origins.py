"""Checks of what made the records: the source of every method, and the machine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from nlbench import baselines
from nlbench.baselines import MethodError
from nlbench.baselines import registry as methods
from nlbench.benchmark import metrics, models
from nlbench.benchmark.pipeline import augment_kinds, augment_outside
from nlbench.benchmark.runs.method_source import described, method_source
from nlbench.benchmark.spec import recipe
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.submission.check import Check
from nlbench.benchmark.submission.submitted import Submission, some

HASHED = re.compile(r"sha256:[0-9a-f]{64}")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
SHORT = len("sha256:") + 12
STATED = ("commit", "torch", "device", "nlbench")
CLONE = "run it in a clone of nlbench, everything committed"


def sources(submission: Submission) -> Check:
    """Each method is a built-in one of today's version, or its source is named by a hash."""
    problems: list[str] = []
    words = []
    for name in submission.methods:
        found = submission.of(name)
        kinds = sorted({record.method_source for record in found})
        if len(kinds) > 1:
            problems.append(f"{name}: runs of {len(kinds)} sources ({_short(kinds)}); one is right")
            continue
        problem = _wrong_source(name, kinds[0])
        if problem:
            problems.append(some(found, problem))
        words.append(f"{name} {kinds[0][:SHORT] or 'version 1'}")
    for part, found_of in _parts(submission.records).items():
        if len(found_of) > 1:
            problems.append(f"{part}: runs of {len(found_of)} sources ({_short(found_of)})")
        words.append(f"{part} {min(found_of)[:SHORT]}")
    for record in submission.records:
        lacking = [part for part in _outside(record.spec) if part not in record.part_sources]
        problems += [f"{record.spec}: the source of {part} is not recorded" for part in lacking]
    return Check("sources", "; ".join(words), tuple(problems))


def machine(submission: Submission) -> Check:
    """One commit without uncommitted changes, one version of torch, and the devices are stated."""
    problems: list[str] = []
    found = [record.environment for record in submission.records]
    for name in STATED:
        if lacking := [r for r in submission.records if not r.environment.get(name)]:
            why = "outside a git checkout" if name == "commit" else "not stated"
            problems.append(some(lacking, f"{name}: {why}; {CLONE}"))
    known = [record for record in submission.records if record.environment.get("commit")]
    if changed := [r for r in known if r.environment.get("dirty") is not False]:
        problems.append(some(changed, f"made with uncommitted changes; {CLONE}"))
    for name in ("commit", "torch"):
        counts = Counter(str(env[name])[:12] for env in found if env.get(name))
        if len(counts) > 1:
            words = ", ".join(f"{value} ({n})" for value, n in counts.most_common())
            problems.append(f"{name}: {len(counts)} of them, {words}; all runs need the same")
    stated = [f"{name} {_several(env.get(name) for env in found)}" for name in STATED]
    return Check("machine", ", ".join(stated), tuple(problems))


def _wrong_source(name: str, source: str) -> str:
    """Why a source is not accepted; empty if it is. Nothing outside this project is imported."""
    if methods.OUTSIDE.is_outside(name):
        if not HASHED.fullmatch(source):
            return f"a method from outside without the SHA-256 of its source ({source or 'none'})"
        right = ":" not in name or NAME.fullmatch(name)
        return "" if right else "its name should be module:Class"
    try:
        baselines.get(name)
    except MethodError:  # perhaps a package of theirs announces it; here it could pass for ours
        return f"no method {name!r} is built in here; one from outside is named module:Class"
    if source == method_source(name):
        return ""
    now = described(name, method_source(name))
    return f"made by {described(name, source)} of {name}, which is {now} here; run it with this one"


def _parts(records: Sequence[RunRecord]) -> dict[str, set[str]]:
    """Sources of everything else from outside, by kind and name."""
    found: dict[str, set[str]] = {}
    for record in records:
        for part, source in record.part_sources.items():
            found.setdefault(part, set()).add(source)
    return found


def _outside(spec: RunSpec) -> Iterator[str]:
    """Parts of a run that its record must name the source of, by their names alone."""
    if spec.recipe.outside_optimizer:
        yield f"{recipe.OUTSIDE.word} {spec.recipe.optimizer}"
    if augment_kinds.is_outside(spec.recipe.augment):
        yield f"{augment_outside.OUTSIDE.word} {spec.recipe.augment}"
    if ":" in spec.model:
        yield f"{models.OUTSIDE.word} {spec.model}"
    for name in spec.metrics:
        yield f"{metrics.OUTSIDE.word} {name}"


def _short(sources: Iterable[str]) -> str:
    return ", ".join(source[:SHORT] or "version 1" for source in sorted(sources))


def _several(values: Iterable[object]) -> str:
    return " and ".join(sorted({str(value) for value in values}))
