"""RunRecord: what one run leaves behind, as one JSON file with a digest of itself."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store import names
from nlbench.benchmark.store.plain_values import MISSHAPEN, shown
from nlbench.benchmark.store.schema import DamagedRecord, from_values, to_values, written
from nlbench.benchmark.store.text import parsed

__all__ = ["CURVES", "STATUSES", "Curve", "DamagedRecord", "RunRecord", "pack_bits"]

STATUSES = ("ok", "diverged", "failed")
CURVES = (
    "train_loss",
    "test_accuracy",
    "clean_fit",
    "flipped_fit_given",
    "flipped_fit_true",
    names.MEAN_CLEAN,
    names.MEAN_FLIPPED,
    "val_noisy",
    "val_clean",
    "detect_loss",
    names.CURVE_AUROC,
)
Curve = tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The result of one run. Accuracies are fractions in [0, 1] on the clean test set.

    A new field has an empty default and the first schema that has it, one above the newest:
    ``field(default="", metadata=written(since=2))``. Writing and reading follow from that, see
    store/schema.py. What reports take of a record is listed in reports/read/fields.py.

    Attributes:
        spec: what was run.
        status: ``ok``; ``diverged`` (loss, weights or state not finite); ``failed`` (raised).
        error: ``epoch``, ``message``, ``traceback`` of a run that is not ``ok``, else ``None``.
        metrics: ``last``, ``noisy_val``, ``clean_val``, ``oracle`` (the four accuracies, ``None``
            where they do not exist) and ``noisy_val_epoch`` ... (counted from 1).
        curves: per epoch, see :data:`CURVES`. The training curves are taken on the fly: each
            training sample's prediction just before the step that uses it. ``test_accuracy``,
            ``val_noisy`` and ``val_clean`` are ``None`` at epochs that the recipe's
            ``eval_every`` leaves out.
        noise: facts of the labels trained on: spec, nominal and realised rate, transition counts.
        pairing: fingerprints of what must be equal for all methods of one seed and condition.
        test_correct: base64 of packed bits, one per test image, at the last epoch.
        test_size: number of test images.
        data_label: the data set as tables must name it.
        environment: versions, device, threads, backend, commit.
        timing: ``started`` (ISO, UTC), ``seconds``; ``first_epoch``: how many training steps it had
            and how many seconds they took, where the backend took them.
        evaluations: what runs/evaluate.py found: ``measures`` and why one of them has no value,
            ``unmeasured``; ``open_set``, ``detection``; and
            ``test_sets``: name of a further test set -> accuracy at the last epoch. Called
            ``extra`` in the file.
        method_source: which code of the method made it, see runs/method_source.py; empty: version
            1 of a built-in method, and records older than this field.
        part_sources: the source of each other part that is from outside, by kind and name, see
            runs/part_sources.py.
    """

    spec: RunSpec
    status: str
    data_label: str
    error: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    noise: Mapping[str, Any] = field(default_factory=dict)
    pairing: Mapping[str, str] = field(default_factory=dict)
    test_correct: str = ""
    test_size: int = 0
    environment: Mapping[str, Any] = field(default_factory=dict, metadata=written(science=False))
    timing: Mapping[str, Any] = field(default_factory=dict, metadata=written(science=False))
    evaluations: Mapping[str, Any] = field(default_factory=dict, metadata=written("extra", since=1))
    method_source: str = field(default="", metadata=written(since=1))
    part_sources: Mapping[str, str] = field(default_factory=dict, metadata=written(since=2))

    @property
    def run_id(self) -> str:
        """The identity of what was run."""
        return self.spec.run_id

    def science(self) -> dict[str, Any]:
        """All but environment and timing: equal for equal specs on equal software and threads."""
        return self._values(everything=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values with the digest of all the rest."""
        body = self._values(everything=True)
        return {**body, "digest": sha256_of(body)}

    def _values(self, everything: bool) -> dict[str, Any]:
        values = to_values(self, everything)
        return {**values, "run_id": self.run_id, "spec": self.spec.to_dict()}

    def to_json(self) -> str:
        """The text of the record's file."""
        return canonical_json(self.to_dict()) + "\n"

    @classmethod
    def from_json(
        cls, text: str | bytes, expected: RunSpec | None = None, digest: str | None = None
    ) -> RunRecord:
        """Read a record and verify that it is whole; see :mod:`nlbench.benchmark.store.verified`.

        Args:
            text: of the record's file.
            expected: see :meth:`of`.
            digest: what :func:`proven_digest` found, if it has been asked before.

        Raises:
            DamagedRecord: not JSON, not a record, digest or run_id do not agree.
            UserError: a sound record of a newer schema.
        """
        content = text.encode(errors="backslashreplace") if isinstance(text, str) else text
        try:
            values = parsed(content)
            stated = values.pop("digest")
        except (ValueError, KeyError) as error:
            raise DamagedRecord(f"not a whole record ({shown(error)})") from error
        proven = digest or proven_digest(content)
        if type(stated) is not str or (proven != stated and _digest(values) != stated):
            raise DamagedRecord("its content does not agree with its digest")
        return cls.of(values, expected)

    @classmethod
    def of(cls, values: Mapping[str, Any], expected: RunSpec | None = None) -> RunRecord:
        """A record from what its text holds, known to be whole.

        Args:
            values: parsed, without the digest; their lists and dicts become the record's own.
            expected: the spec that the record probably has; where it has, that object is taken
                instead of building an equal one (a third of the time).

        Raises:
            DamagedRecord: run_id and spec do not agree, or a field is missing or of another type.
            UserError: a newer schema, or a spec that this version does not know.
        """
        held, run_id = from_values(cls, values), values["run_id"]
        stated, listed = held.pop("spec"), held.pop("curves")
        if any(type(curve) is not list for curve in listed.values()):
            raise DamagedRecord("curves are not lists")
        own = _digest(stated)[:16]
        if own != run_id:
            raise DamagedRecord(f"its spec has run id {own}, it states {shown(run_id)}")
        spec = expected
        if spec is None or spec.run_id != run_id:
            spec = _spec(stated)
        curves = {name: tuple(curve) for name, curve in listed.items()}
        record = cls(spec=spec, curves=curves, **held)
        if record.run_id != run_id:
            raise DamagedRecord(f"its spec has run id {record.run_id}, it states {run_id}")
        return record

    def correct(self) -> NDArray[np.bool_]:
        """Which test images the network of the last epoch got right, shape (test_size,)."""
        bits = np.frombuffer(base64.b64decode(self.test_correct), dtype=np.uint8)
        return np.unpackbits(bits, count=self.test_size).astype(bool)


_DIGEST = re.compile(rb'"digest":"([0-9a-f]{64})",')


def proven_digest(content: bytes) -> str | None:
    """The digest that a record's text carries, if it is that of the rest of the text.

    What :meth:`RunRecord.to_json` wrote is verified without being parsed; an equal record written
    otherwise (other spaces or order) must be parsed to be verified: ``None``.
    """
    found = _DIGEST.search(content)
    if found is None:
        return None
    rest = content[: found.start()] + content[found.end() :].removesuffix(b"\n")
    stated = found[1].decode()
    return stated if hashlib.sha256(rest).hexdigest() == stated else None


def pack_bits(correct: NDArray[np.bool_]) -> str:
    """Boolean vector to base64 of its packed bits, the inverse of :meth:`RunRecord.correct`."""
    return base64.b64encode(np.packbits(correct).tobytes()).decode("ascii")


def _digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of parsed values; empty where they have no canonical text."""
    try:
        return sha256_of(values)
    except (ValueError, RecursionError):  # a number that is not finite, or endless nesting
        return ""


def _spec(stated: Mapping[str, Any]) -> RunSpec:
    """The spec of a record (DamagedRecord: none; UserError: one that is not known here)."""
    try:
        return RunSpec.from_dict(stated)
    except UserError:
        raise
    except MISSHAPEN as error:
        raise DamagedRecord(f"its spec is not of the known shape ({shown(error)})") from error
