"""From the records of a suite with a table ``[tune]`` to the suite of the chosen settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suites.report_table import ReportTable
from nlbench.benchmark.suites.suite import Suite
from nlbench.benchmark.suites.tune import Tune

Runs = list[RunSpec]


@dataclass(frozen=True)
class Chosen:
    """What one method is run with in one condition.

    Attributes:
        spec: one run of the chosen setting.
        untuned: one run of the setting it has without tuning.
        score: its accuracy on held-out noisy labels at the last epoch, mean over seeds, percent.
        given: that of the setting it has without tuning.
        tried: how many settings there were.
    """

    spec: RunSpec
    untuned: RunSpec
    score: float
    given: float
    tried: int


def settle(suite: Suite, records: Iterable[RunRecord]) -> str:
    """The TOML text of a suite with profile ``tuned``: for every condition the chosen settings.

    Of settings with equal scores the first counts, and the one without tuning is the first. A
    diverged run counts with an accuracy of 0.

    Raises:
        UserError: a suite without the table, a run without a record, or a failed one.
    """
    if suite.tune is None:
        raise UserError(f"suite {suite.name}: it has no table [tune], there is nothing to choose")
    known = {record.run_id: record for record in records}
    scores = _scores(suite, known)
    chosen: dict[str, list[Chosen]] = {}
    for (noise, _), settings in _settings(suite).items():
        means = [sum(scores[s.run_id] for s in runs) / len(runs) for runs in settings]
        best = means.index(max(means))
        found = Chosen(settings[best][0], settings[0][0], means[best], means[0], len(means))
        chosen.setdefault(noise, []).append(found)
    return _text(suite, chosen, [known[spec.run_id] for spec in suite.specs])


def _scores(suite: Suite, records: Mapping[str, RunRecord]) -> dict[str, float]:
    missing = sum(spec.run_id not in records for spec in suite.specs)
    if missing:
        raise UserError(
            f"suite {suite.name}: {missing} of its {len(suite.specs)} runs have no record;"
            " `nlbench run` trains them"
        )
    return {spec.run_id: _score(records[spec.run_id]) for spec in suite.specs}


def _score(record: RunRecord) -> float:
    if record.status == "diverged":
        return 0.0
    curve = record.curves.get("val_noisy")
    if record.status != "ok" or not curve or curve[-1] is None:
        raise UserError(f"run {record.spec} ({record.status}) has no accuracy on held-out labels")
    return 100 * curve[-1]


def _settings(suite: Suite) -> dict[tuple[str, str], list[Runs]]:
    """(noise, method) -> its settings in order, the runs of each."""
    found: dict[tuple[str, str], dict[Any, Runs]] = {}
    for spec in suite.specs:
        settings = found.setdefault((spec.noise, spec.method.name), {})
        settings.setdefault((spec.method, spec.recipe), []).append(spec)
    return {place: list(settings.values()) for place, settings in found.items()}


def _text(suite: Suite, chosen: Mapping[str, list[Chosen]], records: list[RunRecord]) -> str:
    tune, first = suite.tune, suite.specs[0]
    assert tune is not None
    seeds = f"seed{'s' * (len(tune.seeds) > 1)} {', '.join(map(str, tune.seeds))}"
    about = (
        f"{suite.description}\nSettings chosen for each method and condition by accuracy on"
        f" held-out noisy labels: {tune.budget} tried for every method, learning rate among"
        f" them, on {seeds} of suite {suite.name}."
    ).strip()
    head = {
        "title": f"{suite.title}, tuned",
        "description": about,
        "baseline": suite.baseline,
        "model": first.model,
        "profile": "tuned",
        "seeds": list(suite.seeds),
        "dataset": first.dataset.to_dict(),
        "recipe": first.recipe.to_dict(),
    }
    lines = [f"{key} = {_toml(value)}" for key, value in head.items()]
    report = {k: v for k, v in asdict(suite.report).items() if v != getattr(ReportTable, k)}
    if report:
        lines += ["", "[report]", *(f"{key} = {_toml(value)}" for key, value in report.items())]
    for noise, methods in chosen.items():
        lines += ["", "[[parts]]", f"noise = [{_toml(noise)}]", "methods = ["]
        lines += [line for one in methods for line in _lines(one)]
        lines += ["]"]
    for one in suite.hypotheses:
        stated = {key: value for key, value in asdict(one).items() if value}
        lines += ["", "[[hypothesis]]", *(f"{key} = {_toml(v)}" for key, v in stated.items())]
    lines += ["", *_origin(suite, tune, chosen, records)]
    return "\n".join(lines) + "\n"


def _origin(
    suite: Suite, tune: Tune, chosen: Mapping[str, list[Chosen]], records: list[RunRecord]
) -> list[str]:
    """The table ``[tuned]``: from which records each setting was chosen, for its report."""
    head = {
        "suite": suite.name,
        "sha256": suite.sha256,
        "rule": tune.rule,
        "budget": tune.budget,
        "seeds": list(tune.seeds),
        "records": len(records),
        "digest": sha256_of(sorted(record.to_dict()["digest"] for record in records)),
        "commits": sorted({str(r.environment["commit"]) for r in records if _commit(r)}),
    }
    lines = ["[tuned]", *(f"{key} = {_toml(value)}" for key, value in head.items()), "choices = ["]
    for noise, methods in chosen.items():
        for one in methods:
            row = {
                "noise": noise,
                "method": one.spec.method.name,
                "untuned": {**one.untuned.method.values, "lr": one.untuned.recipe.lr},
                "tried": one.tried,
                "score": round(one.score, 6),
                "untuned_score": round(one.given, 6),
            }
            lines.append(f"  {_toml(row)},")
    return [*lines, "]"]


def _commit(record: RunRecord) -> bool:
    return bool(record.environment.get("commit"))


def _lines(one: Chosen) -> tuple[str, str]:
    spec = one.spec
    entry = {"name": spec.method.name, **spec.method.values, "recipe": {"lr": spec.recipe.lr}}
    words = f"{one.score:.2f} % on held-out labels, best of {one.tried}; untuned {one.given:.2f} %"
    return f"  # {words}", f"  {_toml(entry)},"


def _toml(value: Any) -> str:
    """A value on one line; what is ``None`` has no form in TOML and is left out of tables."""
    if isinstance(value, Mapping):
        parts = [f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items() if v is not None]
        return f"{{ {', '.join(parts)} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
