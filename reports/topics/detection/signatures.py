"""Failure signatures of extra outputs: signatures.md, signatures.csv and the warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import origin, setting
from nlbench.reports.render.markdown import bullets, escape, table
from nlbench.reports.stats import Interval
from nlbench.reports.text import NONE, interval, number, rounded
from nlbench.reports.topics.columns import PLACE, csv, place
from nlbench.reports.topics.detection.compare import Found
from nlbench.reports.topics.detection.failures import MEANING, NAMES, Signature

COLUMNS = (
    *PLACE, "condition", "nominal_rate", "method", "n", "expected_n", "mass_mean", "mass_sd",
    "mass_flipped_mean", "mass_flipped_sd", "mass_auroc_mean", "baseline", "clean_diff",
    "clean_diff_ci_low", "clean_diff_ci_high", "collapsed_seeds", "silent_seeds",
    "blind_seeds", "lost_clean_accuracy", "signatures",
)  # fmt: skip
HEADS = (
    "labels", "method", "seeds", "mass", "of flipped", "AUROC of mass", "collapsed", "no effect",
    "blind", "clean accuracy − baseline", "found",
)  # fmt: skip


def warnings(results: Results, found: Found) -> tuple[str, ...]:
    """A line per signature and condition, naming its methods."""
    lines: dict[tuple[str, int, str], list[str]] = {}
    for signature in found.signatures:
        for name, facts in signature.found.items():
            key = name, signature.block, signature.condition.line
            lines.setdefault(key, []).append(f"{signature.method} ({facts})")
    several = len(results.blocks) > 1
    return tuple(
        f"{name} ({MEANING[name]}) on {pretty_condition(line)}"
        + (f", {results.blocks[block].data_label}" if several else "")
        + f": {', '.join(methods)}"
        for (name, block, line), methods in lines.items()
    )


def signatures_csv(results: Results, found: Found) -> str:
    """A row per method with an extra output and condition."""
    return csv([_columns(results.blocks[s.block], s) for s in found.signatures], COLUMNS)


def _columns(block: Block, found: Signature) -> dict[str, Any]:
    lost = found.lost
    return {
        **place(block),
        "condition": found.condition.line,
        "nominal_rate": found.condition.nominal,
        "method": found.method,
        "n": found.mass.n,
        "expected_n": found.expected,
        "mass_mean": rounded(found.mass.mean),
        "mass_sd": rounded(found.mass.sd),
        "mass_flipped_mean": rounded(found.mass_flipped.mean),
        "mass_flipped_sd": rounded(found.mass_flipped.sd),
        "mass_auroc_mean": rounded(found.auroc.mean),
        "baseline": found.baseline,
        "clean_diff": None if lost is None else rounded(lost.estimate),
        "clean_diff_ci_low": None if lost is None else rounded(lost.low),
        "clean_diff_ci_high": None if lost is None else rounded(lost.high),
        "collapsed_seeds": found.collapsed,
        "silent_seeds": found.silent,
        "blind_seeds": found.blind,
        "lost_clean_accuracy": int(found.lost_accuracy),
        "signatures": "; ".join(s for s in NAMES if s in found.found),
    }


def signatures_markdown(results: Results, found: Found) -> str:
    """Every such method and condition with its numbers and what was found."""
    parts = [f"# {escape(results.study.title)}: failure signatures of the extra output"]
    if not found.signatures:
        parts.append("No method of this study has an extra output.")
        return "\n\n".join(parts) + "\n"
    blocks = [results.blocks[i] for i in dict.fromkeys(s.block for s in found.signatures)]
    lines = [f"{line}." for line in warnings(results, found)]
    parts.append(
        bullets(lines)
        or "None was found: no collapse, no silent or blind output, no lost clean accuracy."
    )
    for block in blocks:
        body = [_row(s) for s in found.signatures if s.block == block.index]
        parts += [f"## {escape(block.title)}", table(HEADS, body, left=2)]
    parts.append(f"*{escape(' '.join(_caption(results, blocks)))}*")
    return "\n\n".join(parts) + "\n"


def _row(found: Signature) -> list[str]:
    noisy, n, lost = found.auroc.n > 0, found.mass.n, found.lost
    gap = NONE
    if lost is not None and lost.estimate is not None:
        span = interval(lost.low, lost.high, before=" ")
        gap = f"{number(lost.estimate, sign=True)}{span}"
    return [
        escape(pretty_condition(found.condition.line)),
        escape(found.method),
        f"{n}" if n == found.expected else f"{n}/{found.expected}",
        *map(_spread, (found.mass, found.mass_flipped, found.auroc)),
        str(found.collapsed),
        str(found.silent) if noisy else NONE,
        str(found.blind) if noisy else NONE,
        escape(gap),
        ", ".join(found.found) or "nothing",
    ]


def _spread(found: Interval) -> str:
    return NONE if found.mean is None else f"{number(found.mean, 3)} ± {number(found.sd, 3)}"


def _caption(results: Results, blocks: Sequence[Block]) -> list[str]:
    """Sentences under the table, every threshold included."""
    parts = [f"{name.capitalize()}: {meaning}." for name, meaning in MEANING.items()]
    return [
        f"Failure signatures of {'; '.join(setting(results, block) for block in blocks)}. Mass:"
        " probability of the extra output, averaged over the training samples in the last epoch,"
        " mean ± standard deviation (n − 1) over seeds; a run that diverged has none.",
        *parts,
        "All but the last are counted in seeds. The thresholds were set before results were looked"
        " at, except blind output: its name, with bounds that were there, came after the first"
        " results of suite extreme, so of such data it is a description and no finding. They are"
        " warnings and no tests, without correction for their number.",
        *dict.fromkeys(sentence for block in blocks for sentence in origin(results, block)[1:]),
    ]
