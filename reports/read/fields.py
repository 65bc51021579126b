"""What reports keep of a run, column by column: the one list from which the rest follows.

The frame's columns, what is kept of a record, the file that keeps it from one report to the next,
and runs.csv all come from :data:`FIELDS`. What records hold as nested values (scores, curves over
thresholds) needs no entry, see read/evaluations.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nlbench.benchmark.store.record import RunRecord

RULES = ("last", "noisy_val", "clean_val", "oracle")
PAIRING = ("data", "labels", "split", "init", "order", "augment")
# Curves of what a method selected, see `selection` in benchmark/training/epoch_stats.py.
KEPT = ("kept", "kept_least", "kept_precision", "kept_recall")
TEXT, NUMBER, WHOLE = "object", "float64", "Int64"
ALWAYS, IF_ANY, NEVER = "always", "if any", "never"


@dataclass(frozen=True)
class Field:
    """One column.

    Attributes:
        name: of the column.
        read: takes it from a record; ``None``: the study itself declares it (read/frame.py).
        kind: ``TEXT``, ``NUMBER`` or ``WHOLE``.
        rounded: whether runs.csv rounds it, as it does percentages.
        listed: whether runs.csv has it; ``IF_ANY``: only where some run has a value.
    """

    name: str
    read: Callable[[RunRecord], Any] | None = None
    kind: str = TEXT
    rounded: bool = False
    listed: str = ALWAYS


def accuracy_percent(record: RunRecord, rule: str) -> float | None:
    """One accuracy of a run in percent; chance for a diverged run, see Frame; None without one."""
    if record.status == "diverged":
        classes = record.noise.get("num_classes")
        exists = rule in ("last", "oracle") or record.spec.dataset.holdout > 0
        return 100 / classes if classes and exists else None
    value = record.metrics.get(rule)
    return None if value is None or record.status != "ok" else 100 * float(value)


def _accuracy(rule: str) -> Field:
    return Field(rule, lambda record: accuracy_percent(record, rule), NUMBER, True)


def _first_network(record: RunRecord) -> float | None:
    """Accuracy in percent, at the last epoch, of the first network of a method with several."""
    curve = record.curves.get("test_member_0")
    if not curve or record.status == "diverged":
        return accuracy_percent(record, "last") if curve else None
    return None if curve[-1] is None else 100 * curve[-1]


def _kept(name: str) -> Field:
    """What a method selected, at the last epoch; in a table of its own, not in runs.csv."""

    def read(record: RunRecord) -> float | None:
        curve = record.curves.get(name)
        return 100 * curve[-1] if curve and curve[-1] is not None else None

    return Field(name, read, NUMBER, listed=NEVER)


def _unmeasured(record: RunRecord) -> str | None:
    """Why measures from outside have no value."""
    return "; ".join(record.evaluations.get("unmeasured", {}).values()) or None


def _cost(name: str, key: str) -> Field:
    return Field(name, lambda r: r.timing.get("cost", {}).get(key), NUMBER, listed=IF_ANY)


def _epoch(rule: str) -> Field:
    name = f"{rule}_epoch"
    return Field(name, lambda record: record.metrics.get(name), WHOLE)


def _print(part: str) -> Field:
    return Field(f"pair_{part}", lambda record: record.pairing.get(part))


def _environment(name: str, kind: str = TEXT) -> Field:
    return Field(name, lambda record: record.environment.get(name), kind)


# In the order of runs.csv.
FIELDS = (
    Field("run_id"),
    Field("dataset"),
    Field("train_per_class", kind=WHOLE),
    Field("holdout", kind=NUMBER),
    Field("data_label", lambda r: None if r.status == "failed" else r.data_label),
    Field("model"),
    Field("profile"),
    Field("method"),
    Field("method_name"),
    Field("params"),
    Field("recipe"),
    Field("condition"),
    Field("noise_drawn", lambda r: r.noise.get("spec")),
    Field("noise_type"),
    Field("nominal_rate", kind=NUMBER),
    Field("recorded_rate", lambda r: r.noise.get("nominal"), listed=NEVER),
    Field("realised_rate", lambda r: r.noise.get("realised"), NUMBER, True),
    Field("seed"),
    Field("status", lambda r: r.status),
    *map(_accuracy, RULES),
    *map(_epoch, RULES[1:]),
    Field("num_classes", lambda r: r.noise.get("num_classes"), WHOLE),
    Field("test_size", lambda r: r.test_size or None, WHOLE),
    Field("noise_fingerprint", lambda r: r.noise.get("fingerprint")),
    *map(_print, PAIRING),
    Field("seconds", lambda r: r.timing.get("seconds"), NUMBER),
    _environment("device"),
    # Not in runs.csv, which studies were published without it.
    Field("host", lambda r: r.environment.get("host"), listed=NEVER),
    _environment("threads", WHOLE),
    *map(_environment, ("backend", "deterministic", "nlbench", "torch", "python")),
    *map(_environment, ("commit", "dirty")),
    Field("error", lambda r: (r.error or {}).get("message")),
    Field("method_source", lambda r: r.method_source, listed=IF_ANY),
    Field("told", lambda r: ", ".join(r.evaluations.get("told", ())) or None, listed=IF_ANY),
    Field("unmeasured", _unmeasured, listed=IF_ANY),
    _cost("passes", "epochs"),
    _cost("images_forward", "forward"),
    _cost("images_backward", "backward"),
    Field("peak_memory", lambda r: r.timing.get("peak_memory"), NUMBER, listed=IF_ANY),
    Field("first_network", _first_network, NUMBER, rounded=True, listed=IF_ANY),
    *map(_kept, KEPT),
)
RECORDED = tuple((field.name, field.read) for field in FIELDS if field.read is not None)
COLUMNS = tuple(name for name, _ in RECORDED)
