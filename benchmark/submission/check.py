"""Check: one thing that was looked at in a submission, and what came out."""

from __future__ import annotations

from dataclasses import dataclass

PASSED, FAILED, NOT_CHECKED = "passed", "failed", "not checked"


@dataclass(frozen=True)
class Check:
    """One check of a submission.

    Attributes:
        name: of the check, one word.
        found: what was seen, in one line.
        problems: a line each, naming what is wrong and what would be right; empty if it holds.
        compared: whether there was anything to compare with.
    """

    name: str
    found: str
    problems: tuple[str, ...] = ()
    compared: bool = True

    @property
    def status(self) -> str:
        """``passed``, ``failed`` or ``not checked``."""
        if self.problems:
            return FAILED
        return PASSED if self.compared else NOT_CHECKED
