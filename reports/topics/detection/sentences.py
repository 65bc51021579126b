"""Captions and conclusions about what the extra output takes up, plain text for every renderer."""

from __future__ import annotations

from collections.abc import Mapping

from nlbench.reports.compare.results import Results
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.best import best_set_rule
from nlbench.reports.render.caption import detectable, origin, sample, seed_words, setting, tally
from nlbench.reports.text import number
from nlbench.reports.topics.detection.compare import MOST_ROWS, Verdicts, rivals
from nlbench.reports.topics.detection.find import Detection


def caption(results: Results, detection: Detection, found: Verdicts) -> list[str]:
    """Sentences under a table of detection."""
    shown = sample(detection.cells.values(), "seed")
    return [
        f"Detection of flipped training labels on {setting(results, detection.block)}: every"
        " criterion orders the training samples of the run by suspicion, after the last epoch and"
        " without augmentation.",
        f"Percent, mean ± standard deviation (n − 1) over {shown}"
        f" ({seed_words(results, [detection.block])}); in brackets the 95 %"
        " Student interval of the mean AUROC, cut at 0 and 100.",
        "Small loss: the method's own loss of the given label; margin: the largest logit of another"
        " class minus the given one's; extra output: its probability, which depends on the image"
        " and not on the given label. AUROC: a flipped sample is more suspicious than a"
        " clean one (50 is chance); F1: as many samples flagged as are flipped, a number that"
        " is unknown in practice.",
        bold_rule(detection, found),
        *_left_out(detection, results.method_names),
        *filter(None, [detectable(found.mass)]),
        *origin(results, detection.block),
    ]


def bold_rule(detection: Detection, found: Verdicts) -> str:
    """What bold means here."""
    rule = best_set_rule([found.best(detection, c.line) for c in detection.conditions])
    if not rule:
        return f"Nothing is bold: no test of all pairs was made (it takes 2 to {MOST_ROWS} rows)."
    return (
        "Bold: the best set of each condition by AUROC of extra output and small loss, k of them"
        f" together. {rule}"
    )


def _left_out(detection: Detection, names: Mapping[str, str]) -> list[str]:
    kept = {m for method in detection.nodes for m in rivals(detection, method, names)[1:]}
    if not detection.nodes or all(m in kept for m in detection.methods if m not in detection.nodes):
        several = [m for m in detection.nodes if m not in kept]
        if len(several) < 2:
            return []
    return [
        "Methods with several settings are compared with their own small loss and with"
        " that of methods with one setting: which of several to compare with would be a choice"
        " after looking."
    ]


def conclusions(detection: Detection, found: Verdicts) -> list[str]:
    """Where the extra output is the worse detector, where the better, in short."""
    if not detection.nodes:
        return ["No method of this study has an extra output."]
    lines = []
    for kind, words in (
        ("worse", "The extra output is the worse detector"),
        ("better", "The extra output is the better detector"),
    ):
        chosen = [c for c in found.mass if c.words == kind]
        if len(chosen) == len(found.mass):
            lines.append(f"{words}, decided in every comparison.")
        elif chosen:
            listed = "; ".join(
                f"{c.a} against {c.b} on {pretty_condition(c.condition)}"
                f" ({number(c.estimate, sign=True)})"
                for c in chosen[:12]
            )
            more = f"; and {len(chosen) - 12} more" if len(chosen) > 12 else ""
            lines.append(f"{words}, decided: {listed}{more}.")
        else:
            lines.append(f"{words}: decided nowhere.")
    own = [c for c in found.mass if c.a.partition(" (extra output)")[0] == _method(c.b)]
    if own:
        lines.append(f"{tally(own, 'Extra output against the small loss of its own network')}.")
    return [f"{tally(found.mass, 'Extra output against small loss')}.", *lines]


def _method(label: str) -> str:
    return label.partition(" (small loss)")[0]


def no_gallery(detection: Detection) -> list[str]:
    """Why there is no gallery, a sentence per reason; nothing where all are there."""
    if not detection.nodes:
        return ["No gallery: no method of this study has an extra output."]
    found = detection.pictures.values()
    if not found:
        return ["No gallery: no record of seed 0 holds the images of the largest extra output yet."]
    if all(pictures.images is None for pictures in found):
        return ["No gallery: images of this data set are too large to be kept in records."]
    return []
