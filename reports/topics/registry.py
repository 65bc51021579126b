"""What records hold beside accuracies, as parts of a report; no part where they hold nothing."""

from __future__ import annotations

from collections.abc import Sequence

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.render.markdown import escape
from nlbench.reports.topics.detection.page import absorption_texts
from nlbench.reports.topics.detection.sentences import conclusions
from nlbench.reports.topics.open_set.compare import noise_sentence
from nlbench.reports.topics.open_set.page import openset_texts
from nlbench.reports.topics.open_set.sentences import where_drainage_loses

MOST = 12  # sentences of a kind on the index page
OPEN_SET = (
    ("openset.csv", "AUROC, AUPR, FPR, OSCR of every score, [as a table](openset.md)"),
    ("openset-comparisons.csv", "every comparison of open-set scores"),
    ("openset.tex", "the open-set table for a paper"),
)
DETECTION = (
    ("detection.csv", "how every criterion finds flipped labels, [as a table](detection.md)"),
    ("detection-comparisons.csv", "drainage mass against small loss"),
    ("detection.tex", "the detection table for a paper"),
    ("signatures.csv", "failure signatures of the drainage node, [as a table](signatures.md)"),
)


def measure_texts(results: Results, only: str | None) -> dict[str, str]:
    """File name -> content, of the parts asked for."""
    return openset_texts(results, only) | absorption_texts(results, only)


def measure_files(results: Results) -> tuple[tuple[str, str], ...]:
    """File name and what is in it."""
    open_set = OPEN_SET if results.open_sets else ()
    return open_set + (DETECTION if results.detections else ())


def measure_tables(results: Results) -> tuple[str, ...]:
    """Stems of the LaTeX tables."""
    return tuple(n.removesuffix(".tex") for n, _ in measure_files(results) if n.endswith(".tex"))


def measure_sections(results: Results, block: Block) -> list[str]:
    """The conclusions of one block for the index page."""
    parts: list[str] = []
    for protocol, verdicts in zip(results.open_sets, results.open_set_verdicts, strict=True):
        if protocol.block.index == block.index:
            lines = [
                *[c.sentence() for c in verdicts.baseline][:MOST],
                *[noise_sentence(c) for c in verdicts.noise][:MOST],
                *where_drainage_loses(protocol, verdicts),
            ]
            parts += _section("Open-set recognition", "openset.md", lines)
    for detection, found in zip(results.detections, results.detection_verdicts, strict=True):
        if detection.block.index == block.index:
            lines = conclusions(detection, found)
            parts += _section("Detection of mislabelled samples", "detection.md", lines)
    return parts


def _section(title: str, file: str, lines: Sequence[str]) -> list[str]:
    listed = "\n".join(f"- {escape(line)}" for line in lines)
    return [f"### {title}", listed, f"Tables and all comparisons: [{file}]({file})."]
