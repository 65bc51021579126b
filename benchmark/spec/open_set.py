"""Unknowns: what open-set recognition is tested on, as one line of a data set's declaration."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from nlbench import noise
from nlbench.benchmark.errors import UserError

# The paper's protocol, and OSR's since Neal et al. 2018: five random removals, one per seed.
SPLITS = 5
_COUNT = re.compile(r"[0-9]{1,6}")
FORMS = (
    '"classes:4" (four classes are unknown), "classes:4:split=2", "foreign:mnist" or'
    ' "foreign:images:FOLDER"'
)


@dataclass(frozen=True)
class Unknown:
    """Classes that are left out of the training, or another data set.

    Attributes:
        classes: how many classes are unknown; 0 for a foreign data set.
        split: which random choice of these classes; ``None`` until a seed has settled it.
        foreign: name of the data set whose test images are the unknowns, or ``images:FOLDER`` for
            every image file below a folder (such as ImageNet-Sketch); "" if classes are.
    """

    classes: int = 0
    split: int | None = None
    foreign: str = ""

    @classmethod
    def parse(cls, line: str) -> Unknown:
        """Read ``classes:N``, ``classes:N:split=S``, ``foreign:NAME``, ``foreign:images:FOLDER``.

        Raises:
            UserError: anything else.
        """
        kind, _, rest = line.partition(":")
        if kind == "foreign" and rest.strip(":") not in ("", "images"):
            return cls(foreign=rest)
        number, _, option = rest.partition(":")
        key, _, split = option.partition("=")
        fits = _COUNT.fullmatch(number) and int(number) and (not option or _COUNT.fullmatch(split))
        if kind != "classes" or not fits or key not in ("", "split"):
            raise UserError(f"dataset: unknown = {line!r} is none of {FORMS}")
        return cls(classes=int(number), split=int(split) if option else None)

    def __str__(self) -> str:
        """The canonical line."""
        if self.foreign:
            return f"foreign:{self.foreign}"
        split = "" if self.split is None else f":split={self.split}"
        return f"classes:{self.classes}{split}"

    @property
    def folder(self) -> str:
        """The folder of images below the data folder, "" if there is none."""
        return self.foreign.removeprefix("images:") if self.foreign.startswith("images:") else ""

    def settled(self, seed: int) -> Unknown:
        """With the class split that belongs to a seed: ``seed`` modulo :data:`SPLITS`."""
        if self.foreign or self.split is not None:
            return self
        return Unknown(self.classes, seed % SPLITS)

    def known(self, num_classes: int) -> tuple[int, ...]:
        """The classes that are trained on, ascending.

        Every class gets a random word of a generator keyed by the split alone; those with the
        smallest are unknown. So the choice does not depend on data, method, noise or machine, and
        with more unknown classes the same ones are unknown and some more.

        Raises:
            UserError: fewer than two classes would be left.
        """
        if self.foreign:
            return tuple(range(num_classes))
        if num_classes - self.classes < 2:
            raise UserError(
                f"dataset: unknown = {str(self)!r} leaves {max(0, num_classes - self.classes)} of"
                f" {num_classes} classes known; at least 2 are needed"
            )
        if self.split is None:
            raise UserError(f"dataset: unknown = {str(self)!r} names no split")
        words = noise.generator("nlbench-class-split", self.split).bit_generator.random_raw(
            num_classes
        )
        return tuple(sorted(int(k) for k in np.argsort(words, kind="stable")[self.classes :]))
