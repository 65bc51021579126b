"""Noise lines written out: which map, scaling and count, where a line leaves them at a default."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from nlbench.noise import NoiseError, NoiseSpec


def drawn_line(line: str, dataset: str | None = None) -> str:
    """A noise line with all options of its kind, those at their default too.

    Args:
        line: as declared, or as a label set has it.
        dataset: gives the flip map where the line does not.

    >>> drawn_line("instance:0.4:scale=unit")
    'instance:0.4:bias=corrected:projection=class:scale=unit'
    """
    return "+".join(":".join(_words(part, dataset)) for part in _parts(line))


def drawn_words(lines: Iterable[str]) -> str:
    """How labels of these lines are drawn, once for each kind and its options.

    >>> drawn_words(["clean", "pair:0.2", "pair:0.45"])
    'pair (count=exact)'
    """
    return "; ".join(
        dict.fromkeys(_kind(p) for line in lines if line for p in _parts(line) if p.kind != "clean")
    )


@lru_cache(maxsize=4096)
def _parts(line: str) -> tuple[NoiseSpec, ...]:
    spec = NoiseSpec.parse(line)
    return spec.parts or (spec,)


def _kind(part: NoiseSpec) -> str:
    words = _words(part, None)[1 + part.has_rate :]  # without kind and rate
    return f"{part.kind} ({', '.join(words)})" if words else part.kind


def _words(part: NoiseSpec, dataset: str | None) -> list[str]:
    given = dict(part.options)
    try:
        values = part.values(dataset)
    except NoiseError:  # no map is agreed for the data set: it has no labels drawn so
        values = given
    words = [part.kind, *str(part)[len(part.kind) :].split(":")[1:]]  # a kind may have a colon
    default = [f"{name}={value}" for name, value in values.items() if name not in given]
    options = sorted([*(word for word in words if "=" in word), *default])
    return [*(word for word in words if "=" not in word), *options]
