"""NoisyLabels: the artefact that every model returns, and the facts derived from it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError
from nlbench.noise.registry import Scalar, get
from nlbench.noise.spec import NoiseSpec
from nlbench.noise.task import GENERATOR_VERSION, Labels, checked_count, checked_labels

_HEAD = b"nlbench-labels-1\0"


@dataclass(frozen=True, eq=False)
class NoisyLabels:
    """Noisy labels beside the clean ones they came from.

    noisy, clean: (N,) int64, read-only copies. spec: the setting with everything that depends on
    the data set named. seed: the noise seed. dataset: name given to ``make``, if any.
    Open-set noise only: replaced (N,) bool marks the foreign images, source (N,) int64 which
    image of the other set is used (-1 where none). details: small facts of the model.
    generator: version of the generators that drew the labels.
    """

    noisy: Labels
    clean: Labels
    num_classes: int
    spec: NoiseSpec
    seed: int
    dataset: str | None = None
    replaced: NDArray[np.bool_] | None = None
    source: NDArray[np.int64] | None = None
    details: Mapping[str, Scalar] = field(default_factory=dict)
    generator: int = GENERATOR_VERSION

    def __post_init__(self) -> None:
        classes = checked_count(self.num_classes, "num_classes", 1)
        seed = checked_count(self.seed, "seed", 0)
        noisy = checked_labels(self.noisy, classes, "noisy labels")
        clean = checked_labels(self.clean, classes, "clean labels")
        if noisy.shape != clean.shape:
            raise NoiseError(f"{len(noisy)} noisy labels for {len(clean)} clean ones")
        replaced, source = _checked_foreign(self.replaced, self.source, len(clean))
        fields = {
            "num_classes": classes, "seed": seed, "noisy": noisy, "clean": clean,
            "replaced": replaced, "source": source, "details": dict(self.details),
        }  # fmt: skip
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.clean)

    def __repr__(self) -> str:
        parts = [f"{np.count_nonzero(self.flipped):,} of {len(self):,} labels flipped"]
        if not self.truth_known:
            parts = [f"{len(self):,} labels, which of them are wrong is not known"]
        if self.replaced is not None:
            parts.append(f"{np.count_nonzero(self.replaced):,} images replaced")
        parts += [f"{self.num_classes} classes", f"fingerprint {self.fingerprint[:8]}"]
        return f"<NoisyLabels {self.spec}, seed {self.seed}: {', '.join(parts)}>"

    @cached_property
    def flipped(self) -> NDArray[np.bool_]:
        """(N,) bool: where the noisy label is not the clean one."""
        mask: NDArray[np.bool_] = self.noisy != self.clean
        mask.setflags(write=False)
        return mask

    @cached_property
    def corrupted(self) -> NDArray[np.bool_]:
        """(N,) bool: flipped label or replaced image."""
        return self.flipped if self.replaced is None else self.flipped | self.replaced

    @cached_property
    def sizes(self) -> Labels:
        """(K,) samples per clean class."""
        return np.bincount(self.clean, minlength=self.num_classes).astype(np.int64)

    @property
    def truth_known(self) -> bool:
        """Whether ``clean`` are the true labels; if not, they repeat the given ones."""
        return get(self.spec.kind).truth

    @cached_property
    def realised_rate(self) -> float:
        """Share of samples whose label changed or image was replaced; NaN if unknown."""
        if not self.truth_known:
            return math.nan
        return int(np.count_nonzero(self.corrupted)) / len(self)

    @cached_property
    def per_class_rate(self) -> NDArray[np.float64]:
        """(K,) the same share within each clean class; NaN for a class without samples."""
        if not self.truth_known:
            return np.full(self.num_classes, np.nan)
        hits = np.bincount(self.clean[self.corrupted], minlength=self.num_classes)
        result = np.full(self.num_classes, np.nan)
        np.divide(hits, self.sizes, out=result, where=self.sizes > 0)
        return result

    @cached_property
    def transition_counts(self) -> Labels:
        """(K, K) int64: samples of clean class i (row) with noisy label j (column)."""
        k = self.num_classes
        counts = np.bincount(self.clean * k + self.noisy, minlength=k * k)
        return counts.astype(np.int64).reshape(k, k)

    @property
    def nominal_rate(self) -> float:
        """The rate asked for; for kinds without one (human labels, files) the realised rate."""
        return self.spec.rate if self.spec.has_rate else self.realised_rate

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over K, N, the clean and the noisy labels as little-endian int64."""
        sha = hashlib.sha256(_HEAD)
        sha.update(_bytes(np.array([self.num_classes, len(self)])))
        sha.update(_bytes(self.clean))
        sha.update(_bytes(self.noisy))
        if self.replaced is not None and self.source is not None:
            sha.update(self.replaced.astype("u1").tobytes())
            sha.update(_bytes(self.source))
        return sha.hexdigest()

    def describe(self) -> dict[str, object]:
        """Return plain JSON values: spec, seed, rates, K x K transition counts, fingerprint.

        Rates and counts are None where the true labels are not known.
        """
        known = self.truth_known
        rates = [None if np.isnan(rate) else float(rate) for rate in self.per_class_rate]
        return {
            "spec": str(self.spec),
            "seed": self.seed,
            "dataset": self.dataset,
            "generator": self.generator,
            "nominal": self.nominal_rate if known else None,
            "realised": self.realised_rate if known else None,
            "per_class": rates if known else None,
            "transition": self.transition_counts.tolist() if known else None,
            "flipped": int(np.count_nonzero(self.flipped)) if known else None,
            "replaced": 0 if self.replaced is None else int(np.count_nonzero(self.replaced)),
            "samples": len(self),
            "num_classes": self.num_classes,
            "fingerprint": self.fingerprint,
            "details": dict(self.details),
        }

    def save(self, path: str | Path) -> Path:
        """Write one .npz file (no pickles inside) and return its path; see storage.py."""
        from nlbench.noise.storage import save

        return save(self, path)

    @staticmethod
    def load(path: str | Path) -> NoisyLabels:
        """Read a file written by ``save`` and verify it; NoiseError names what disagrees."""
        from nlbench.noise.storage import load

        return load(path)


def _bytes(values: NDArray[np.int64]) -> memoryview:
    return np.ascontiguousarray(values, dtype="<i8").data


def _checked_foreign(
    replaced: NDArray[np.bool_] | None, source: NDArray[np.int64] | None, size: int
) -> tuple[NDArray[np.bool_] | None, NDArray[np.int64] | None]:
    if replaced is None and source is None:
        return None, None
    if replaced is None or source is None:
        raise NoiseError("open-set labels need both the replaced mask and the source indices")
    mask = np.array(replaced, dtype=np.bool_)
    index = np.array(source, dtype=np.int64)
    if mask.shape != (size,) or index.shape != (size,):
        raise NoiseError(f"replaced {mask.shape} and source {index.shape} do not fit {size} labels")
    if not np.array_equal(mask, index >= 0):
        raise NoiseError("source must be an index >= 0 exactly where replaced is true")
    mask.setflags(write=False)
    index.setflags(write=False)
    return mask, index
