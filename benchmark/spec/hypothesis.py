"""Hypothesis: a comparison that a suite declares before its runs are looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """Two methods whose accuracies are to be compared.

    Attributes:
        a: name of one method.
        b: name of the other.
        where: noise it is about: a noise model (``asymmetric``), with options or a rate if wanted
            (``instance:scale=unit``, ``symmetric:0.4``); "" for all conditions.
    """

    a: str
    b: str
    where: str = ""

    def covers(self, line: str) -> bool:
        """Whether the noise line is one that this is about.

        >>> Hypothesis("a", "b", "asymmetric").covers("asymmetric:0.4:map=block5")
        True
        """
        if not self.where:
            return True
        asked, parts = self.where.split("+"), line.split("+")
        return len(asked) == len(parts) and all(map(_covers, asked, parts))


def _covers(asked: str, part: str) -> bool:
    (name, *options), (model, *words) = asked.split(":"), part.split(":")
    return name == model and set(options) <= set(words)
