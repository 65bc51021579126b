"""Sound archives are admitted; each kind of falsified one fails the check that is for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.run_spec import MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.submission.admission import Admission, examine
from tests.helpers.records import as_failed, ending_at
from tests.helpers.submissions import OWN, RESULTS, own, packed, records_of, submitted

Records = list[RunRecord]
Where = Callable[[RunRecord], bool]


def status(found: Admission) -> dict[str, str]:
    return {check.name: check.status for check in found.checks}


def examined(tmp_path: Path, records: Records, results: Path = RESULTS) -> Admission:
    return examine(packed(tmp_path / "records.tar.gz", records), results, "quick")


@pytest.mark.parametrize("study", ["quick", "extreme-classes", "l1-budget-digits", "osr-fashion"])
def test_a_published_study_is_admitted_as_it_is(study: str) -> None:
    found = examine(RESULTS / "published" / study / "records.tar.gz", RESULTS)
    assert found.suite.name == study
    assert set(status(found).values()) == {"passed"}


def test_a_method_from_outside_beside_the_baseline_is_admitted(tmp_path: Path) -> None:
    found = examined(tmp_path, submitted())
    assert found.admitted
    assert set(status(found).values()) == {"passed"}
    words = {check.name: check.found for check in found.checks}
    assert "20 of the 60 runs of suite quick" in words["suite"]
    assert "and 20 of other methods" in words["suite"]
    assert f"{OWN} sha256:5555" in words["sources"]
    assert "20 of 20 noisy labels" in words["fingerprints"]


def test_without_published_records_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    found = examined(tmp_path, submitted(), results=tmp_path)
    assert found.admitted
    unknown = {name for name, word in status(found).items() if word == "not checked"}
    assert unknown == {"fingerprints", "baseline"}


def test_nothing_that_an_archive_names_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert examined(tmp_path, submitted()).admitted


# --- attacks: what is changed, which check fails, what it says ------------------------------------


def changed(where: Where, **changes: Any) -> Callable[[], Records]:
    return lambda: [replace(r, **changes) if where(r) else r for r in submitted()]


def kept(where: Where) -> Callable[[], Records]:
    return lambda: [r for r in submitted() if where(r)]


def mine(record: RunRecord) -> bool:
    return record.spec.method.name == OWN


def at(line: str, seed: int) -> Where:
    return lambda r: mine(r) and r.spec.noise == line and r.spec.seed == seed


def environment(where: Where, **values: Any) -> Callable[[], Records]:
    def change(record: RunRecord) -> RunRecord:
        return replace(record, environment={**record.environment, **values})

    return lambda: [change(r) if where(r) else r for r in submitted()]


def with_labels(record: RunRecord) -> RunRecord:
    """Trained on other labels, and saying so throughout."""
    fake = "a" * 64
    noise, pairing = {**record.noise, "fingerprint": fake}, {**record.pairing, "labels": fake}
    return replace(record, noise=noise, pairing=pairing)


def relabelled(where: Where) -> Callable[[], Records]:
    return lambda: [with_labels(r) if where(r) else r for r in submitted()]


def out_of_range() -> Records:
    where = at("symmetric:0.4", 2)
    return [replace(r, metrics={**r.metrics, "last": 1.02}) if where(r) else r for r in submitted()]


def better_baseline() -> Records:
    """CE as if it were nearly perfect under noise; each record holds together."""
    return [
        ending_at(r, round(0.99 * r.test_size) / r.test_size)
        if r.spec.method.name == "ce" and r.spec.noise == "instance:0.4"
        else r
        for r in submitted()
    ]


def best_of_two() -> Records:
    """In each condition the setting that came out better there."""
    base = [r for r in submitted() if not mine(r)]
    return base + [
        own(r, q=0.5 if r.spec.noise == "clean" else 0.9) for r in submitted() if mine(r)
    ]


def with_recipe(**values: Any) -> Callable[[], Records]:
    def change(record: RunRecord) -> RunRecord:
        spec = replace(record.spec, recipe=replace(record.spec.recipe, **values))
        return replace(record, spec=spec)

    return lambda: [change(r) if mine(r) else r for r in submitted()]


def with_noise(line: str) -> Callable[[], Records]:
    def change(record: RunRecord) -> RunRecord:
        facts = {**record.noise, "spec": line}
        return replace(record, spec=replace(record.spec, noise=line), noise=facts)

    where = at("symmetric:0.4", 0)
    return lambda: [*submitted(), *(change(r) for r in submitted() if where(r))]


def renamed(name: str, source: str) -> Callable[[], Records]:
    return lambda: [own(r, name, source) if mine(r) else r for r in submitted()]


ATTACKS: dict[str, tuple[Callable[[], Records], str, str]] = {
    "an accuracy above 1": (out_of_range, "records", "last = 1.02"),
    "a failed run": (
        lambda: [as_failed(r) if at("clean", 0)(r) else r for r in submitted()],
        "records",
        "--retry",
    ),
    "a baseline that is too good": (better_baseline, "baseline", "points from ours over 5 seeds"),
    "no baseline": (kept(mine), "baseline", "no run of ce"),
    "other labels for one method": (
        relabelled(at("symmetric:0.4", 1)),
        "pairing",
        "symmetric:0.4, seed 1: noisy labels differ",
    ),
    "other labels for all methods": (
        relabelled(lambda r: (r.spec.noise, r.spec.seed) == ("symmetric:0.4", 1)),
        "fingerprints",
        "noisy labels aaaaaaaaaaaa are not our",
    ),
    "other first weights": (
        lambda: [replace(r, pairing={**r.pairing, "init": "b" * 64}) for r in submitted()],
        "fingerprints",
        "first weights bbbbbbbbbbbb are not our",
    ),
    "no fingerprint of the weights": (
        changed(mine, pairing=dict.fromkeys(("data", "split", "order", "augment"), "c" * 64)),
        "pairing",
        "no fingerprint of its first weights",
    ),
    "a seed left out": (
        kept(lambda r: not at("asymmetric:0.4", 3)(r)),
        "seeds",
        "asymmetric:0.4: no run of seed 3;",
    ),
    "one seed only": (
        kept(lambda r: not mine(r) or r.spec.seed == 4),
        "seeds",
        "no run of seeds 0, 1, 2, 3;",
    ),
    "a condition left out": (
        kept(lambda r: not mine(r) or r.spec.noise != "clean"),
        "seeds",
        "clean: no run of seeds 0, 1, 2, 3, 4;",
    ),
    "seeds of the baseline left out": (
        kept(lambda r: mine(r) or r.spec.seed > 0),
        "seeds",
        "ce on digits, clean: no run of seed 0;",
    ),
    "the best of two settings": (best_of_two, "seeds", r"mine:Patience (q=0.5) on digits"),
    "another study's runs": (
        lambda: [*submitted(), *records_of("fashion")[:3]],
        "suite",
        "data set fashion_mnist is not in suite quick (it has digits)",
    ),
    "another learning rate": (with_recipe(lr=0.1), "suite", "recipe: lr = 0.1 is not in suite"),
    "another noise rate": (with_noise("symmetric:0.39"), "suite", "noise symmetric:0.39 is not in"),
    "no source": (renamed("mine:Loss", ""), "sources", "without the SHA-256 of its source (none)"),
    "a built-in method of another version": (
        renamed("gce", "version 7"),
        "sources",
        "made by version 7",
    ),
    "a built-in name for code from outside": (
        renamed("gce", "sha256:" + "7" * 64),
        "sources",
        "made by sha256:7777",
    ),
    "a name that passes for ours": (renamed("GCE", "sha256:" + "7" * 64), "sources", "'GCE'"),
    "a name that is no name": (
        renamed("<b>x:y", "sha256:" + "7" * 64),
        "sources",
        "should be module:Class",
    ),
    "two sources of one method": (
        lambda: [replace(r, method_source="") if at("clean", 0)(r) else r for r in submitted()],
        "sources",
        "runs of 2 sources",
    ),
    "uncommitted changes": (environment(mine, dirty=True), "machine", "uncommitted changes"),
    "not said whether committed": (environment(mine, dirty=None), "machine", "uncommitted changes"),
    "no commit": (environment(mine, commit=None), "machine", "outside a git checkout"),
    "two commits": (environment(mine, commit="d" * 40), "machine", "commit: 2 of them"),
    "two versions of torch": (environment(mine, torch="1.0"), "machine", "torch: 2 of them"),
    "no device": (environment(at("clean", 0), device=None), "machine", "device: not stated"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_fails_by_name(name: str, tmp_path: Path) -> None:
    attack, check, says = ATTACKS[name]
    found = examined(tmp_path, attack())
    assert not found.admitted
    failed = {c.name: c.problems for c in found.checks if c.problems}
    assert check in failed
    assert any(says in line for line in failed[check]), failed[check]


def test_one_attack_fails_one_check(tmp_path: Path) -> None:
    for name in ("two commits", "a seed left out", "another noise rate", "no source"):
        attack, check, _ = ATTACKS[name]
        found = examined(tmp_path, attack())
        assert [c.name for c in found.checks if c.problems] == [check], name


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "records.tar.gz", submitted())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found = examine(path, RESULTS, "quick")
    (records, *_) = found.checks
    assert any("damaged from here on" in line for line in records.problems)


def test_what_cannot_be_checked_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "records.tar.gz"
    with pytest.raises(UserError, match="cannot be read"):
        examine(path, RESULTS)
    path.write_bytes(b"no archive")
    with pytest.raises(UserError, match="cannot be read"):
        examine(path, RESULTS)
    with pytest.raises(UserError, match="holds no record"):
        examine(packed(path, []), RESULTS)
    with pytest.raises(UserError, match="name the suite that it was run for: --suite"):
        examine(packed(path, kept(mine)()), RESULTS)
    with pytest.raises(UserError, match="quik"):
        examine(packed(path, submitted()), RESULTS, "quik")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda spec: replace(spec, method=MethodSpec(["a"])), "method = ['a']"),  # type: ignore[arg-type]
        (lambda spec: replace(spec, model=None), "model = None"),
        (lambda spec: replace(spec, method=MethodSpec("ce", (("q", [1]),))), "q = [1]"),  # type: ignore[arg-type]
    ],
)
def test_a_spec_of_other_types_is_refused(
    change: Callable[[RunSpec], RunSpec], says: str, tmp_path: Path
) -> None:
    first, *rest = submitted()
    found = examined(tmp_path, [*rest, replace(first, spec=change(first.spec))])
    assert any(says in line for line in found.checks[0].problems), found.checks[0].problems
