"""The figures of what a block's records hold beside accuracies; none where they hold nothing."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from reports.cells import Block
from reports.figures.absorption import absorption_figures
from reports.figures.gallery import gallery_figures
from reports.figures.openset import openset_figures
from reports.results import Results


def measure_figures(results: Results, block: Block) -> Iterator[tuple[str, str, Figure]]:
    """Name, caption and figure: open-set recognition, then what the drainage node absorbs."""
    for protocol, verdicts in zip(results.open_sets, results.open_set_verdicts, strict=True):
        if protocol.block.index == block.index:
            yield from openset_figures(results, protocol, verdicts)
    for detection in results.detections:
        if detection.block.index == block.index:
            yield from absorption_figures(results, detection)
            yield from gallery_figures(results, detection)
