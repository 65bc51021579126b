"""Conditions as people write them, turned into noise lines."""

from __future__ import annotations

import re

from nlbench.reports.read.names import noise_name

# A rate is written with a point or a percent sign: "fold 1" is the name of a condition.
_WITH_RATE = re.compile(r"(?P<type>.*[^\s:_])[\s:_]+(?:(?P<share>\d*\.\d+)|(?P<percent>\d+) ?%)")


def noise_line(text: str) -> str:
    """A noise line: what ends in a rate is that type of noise at that rate.

    >>> noise_line("symmetric:0.4"), noise_line("sym 0.40"), noise_line("human 40%")
    ('symmetric:0.4', 'sym:0.4', 'human:0.4')
    >>> noise_line("Clean"), noise_line("fold 1")
    ('clean', 'fold 1')
    """
    if text.lower() == "clean":
        return "clean"
    found = _WITH_RATE.fullmatch(text)
    if found:
        share = float(found["share"]) if found["share"] else float(found["percent"]) / 100
        text = f"{found['type']}:{share:g}"
    rate = noise_name(text).rate
    return text if rate is None or 0 <= rate <= 1 else text.replace(":", " ")
