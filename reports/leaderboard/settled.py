"""What a row over several conditions holds: recipes and noise as settled."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from nlbench.benchmark.spec.noise_line import drawn_words
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block

COLUMNS = ("recipe", "noise_drawn")
Spot = tuple[int, str]


def settled(
    blocks: Iterable[Block], methods: Collection[str], spots: Collection[Spot] | None = None
) -> dict[str, str]:
    """Columns: what these methods were trained with, and how the labels were drawn.

    Args:
        blocks: where the row is from.
        methods: their labels; where recipes differ each is named with its methods.
        spots: index of the block and noise line of the conditions that count, ``None``: all.
    """
    recipes, drawn = dict[str, None](), []
    for block in blocks:
        lines = [c for c in block.conditions if spots is None or (block.index, c.line) in spots]
        if lines:
            recipes[block.recipe_of(methods)] = None
            drawn += [condition.drawn for condition in lines]
    return dict(zip(COLUMNS, (" / ".join(recipes), drawn_words(drawn)), strict=True))


def of_profile(
    results: Results, profile: str, methods: Collection[str], spots: Collection[Spot] | None = None
) -> dict[str, str]:
    """The same of all blocks of a profile."""
    return settled([b for b in results.blocks if b.key.regime == profile], methods, spots)
