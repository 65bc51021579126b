"""Streams: one seed, independent named generators, the same on any device and in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlbench import noise

# "mix" and "method" are for what a method draws beyond what all methods share.
NAMES = ("split", "init", "order", "augment", "mix", "method")


@dataclass(frozen=True)
class Streams:
    """The random numbers of a run, drawn on the CPU by NumPy and keyed, not consumed.

    Each generator is a Philox keyed by (seed, stream, further words such as the epoch or the
    parameter's name), so no stream shifts another, an epoch's batches do not depend on the epochs
    before it, and a method that draws one number more changes nothing else. The label noise has its
    own stream inside :func:`nlbench.noise.make`, from the same seed.

    Attributes:
        seed: the run's seed, >= 0.
    """

    seed: int

    def generator(self, name: str, *words: str | int) -> np.random.Generator:
        """A fresh generator of the stream ``name`` (one of :data:`NAMES`), at ``words``."""
        if name not in NAMES:
            raise KeyError(f"no stream {name!r}; there are {', '.join(NAMES)}")
        return noise.generator("nlbench-run", self.seed, name, *words)
