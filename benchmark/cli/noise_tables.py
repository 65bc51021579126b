"""Label sets as text: facts, transition counts, audits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

from noise import NoisyLabels

WIDEST = 20


def rows(values: Mapping[str, Any]) -> str:
    """Names and values below each other; nested tables are left out."""
    flat = [(k, v) for k, v in values.items() if not isinstance(v, list | dict)]
    return tabulate(flat, tablefmt="plain", disable_numparse=True)


def facts(labels: NoisyLabels) -> str:
    """Facts of a label set, with its transition counts if they fit a page."""
    described = labels.describe()
    low, high = np.nanmin(labels.per_class_rate), np.nanmax(labels.per_class_rate)
    text = rows(
        {
            "setting": described["spec"],
            "data set": described["dataset"],
            "seed": described["seed"],
            "samples, classes": f"{len(labels):,}, {labels.num_classes}",
            "nominal rate": f"{labels.nominal_rate:.4f}",
            "realised rate": f"{labels.realised_rate:.4f}",
            "per class": f"{low:.4f} to {high:.4f}",
            "replaced images": described["replaced"],
            "fingerprint": described["fingerprint"],
        }
    )
    if labels.num_classes > WIDEST:
        return text
    counts = labels.transition_counts
    matrix = tabulate(
        [[f"true {i}", *row] for i, row in enumerate(counts.tolist())],
        headers=["", *(f"given {j}" for j in range(labels.num_classes))],
    )
    return f"{text}\n\n{matrix}"


def audit(found: Mapping[str, Any], names: Sequence[str]) -> str:
    """An audit as Markdown: rates, classes, nearest class-conditional model, what it leaves."""
    classes = [
        (
            names[row["class"]],
            row["samples"],
            row["flipped"],
            row["rate"],
            "" if row["commonest"] is None else names[row["commonest"]],
            row["commonest_share"],
        )
        for row in found["classes"]
    ]
    headers = ["class", "samples", "flipped", "rate", "commonest wrong", "its share"]
    fits = [(fit["model"], fit["rate"], fit["distance"]) for fit in found["class_conditional"]]
    parts = [
        rows(found),
        tabulate(classes, headers=headers, tablefmt="github", floatfmt=".4f"),
        "nearest class-conditional models (distance: share of samples to move)",
        tabulate(fits, headers=["model", "rate", "distance"], tablefmt="github", floatfmt=".4f"),
    ]
    if found["instance"] is not None:
        parts += ["instance dependence: do look-alikes of one class agree more than chance?"]
        asked = {k: v for k, v in found["instance"].items() if isinstance(v, dict)}
        table = [{"question": name, **values} for name, values in asked.items()]
        parts += [tabulate(table, headers="keys", tablefmt="github", floatfmt=".4f")]
    return "\n\n".join(parts)
