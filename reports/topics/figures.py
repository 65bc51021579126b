"""The figures of what a block's records hold beside accuracies; none where they hold nothing."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.topics.detection.figure import absorption_figures
from nlbench.reports.topics.detection.gallery import gallery_figures
from nlbench.reports.topics.open_set.figure import openset_figures


def measure_figures(results: Results, block: Block) -> Iterator[tuple[str, str, Figure]]:
    """Name, caption and figure: open-set recognition, then what the drainage node absorbs."""
    for protocol, verdicts in zip(results.open_sets, results.open_set_verdicts, strict=True):
        if protocol.block.index == block.index:
            yield from openset_figures(results, protocol, verdicts)
    for detection in results.detections:
        if detection.block.index == block.index:
            yield from absorption_figures(results, detection)
            yield from gallery_figures(results, detection)
