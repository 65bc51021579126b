"""Label sets as text: facts, transition counts, audits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

from nlbench import noise
from nlbench.noise import NoisyLabels

WIDEST = 20
PREFACE = """\
# Noise models

One line names a label set: `symmetric:0.4`, `asymmetric:0.3:map=block5`, `human:worse`,
`symmetric:0.2+instance:0.2`. The same line, data set and seed give the same bits on every machine;
tables print the nominal and the realised rate. `nlbench noise make` writes a label set to a file,
`nlbench noise audit` says what it really is, and `results/noise/fingerprints.csv` holds the SHA-256
of the usual ones (`nlbench noise verify results/noise/fingerprints.csv` draws them all again).
Twenty of its rows are withdrawn, each with a note: `legacy=sequential` on MNIST and digits, where
no code draws that way.

Published numbers differ because code bases draw their labels differently under the same name. Where
their way is known it is an option here, so that a published setting can be run as it was.

## Gallery

![every noise model side by side](noise-gallery.png)

*Fashion-MNIST, seed 0. Left the line as it is settled for this data set, the realised rate and
those of the classes, and what the variant is known as; then the realised transition matrix (row:
true class), then images with a changed label, true -> given; for open-set noise, foreign images
under the label they were given. Human labels exist for CIFAR only, shown on CIFAR-10 (JPEG q75), a
copy of CIFAR-10 that is not the official pixels. The file and the matrix are made by the gallery.
`given` is not in it: which of its labels are wrong is not known. Made by `python -m
tools.noise_gallery`; rows whose data are not there are left out and named.*

## Equal bits everywhere

The labels come from raw 64-bit words of Philox, which NumPy keeps stable, and from integers, IEEE
basic operations and comparisons on grids far coarser than the last bits in which libraries differ.
Sums of products are sums of integers below 2^53, exact in any order, so the linear algebra library,
its threads and the processor's vector width play no part. To check it on another machine:

    nlbench noise verify results/noise/fingerprints.csv
    python -m nlbench.benchmark.labels.reference results/noise/fingerprints.csv DATA  # no torch

Seen equal, to the bit (Python 3.11, November 2026; the twenty rows since withdrawn among them):

| processor | libraries | rows drawn again |
|---|---|---|
| x86-64 | NumPy 2.4.6, SciPy 1.17.1 | made the table: all 1,511 |
| x86-64 | NumPy 2.0.0, SciPy 1.13.1 (the oldest supported) | all 1,511 |
| x86-64, no vector units, 8 threads | NumPy 2.4.6, SciPy 1.17.1 | 44 (instance noise) |
| aarch64, emulated by QEMU 7.2 | NumPy 2.4.6, SciPy 1.17.1 | 154: digits, Fashion, CIFAR-100 |
| aarch64, emulated by QEMU 7.2 | NumPy 2.0.0, SciPy 1.13.1 | 34: digits |

No Arm machine was at hand: the emulator runs the Arm builds of Python, NumPy and OpenBLAS
instruction by instruction, a check of their arithmetic and not of a particular processor.

`confidence` and `pmd` are exact given the softmax, whose SHA-256 is in the details of the label
set. The network behind it is trained where it is asked for, and its floating-point sums do differ
between machines: share such label sets as files.

This page is made by `nlbench noise catalogue --out docs/noise.md`.
"""


def rows(values: Mapping[str, Any]) -> str:
    """Names and values below each other; nested tables are left out."""
    flat = [(k, v) for k, v in values.items() if not isinstance(v, list | dict)]
    return tabulate(flat, tablefmt="plain", disable_numparse=True)


def facts(labels: NoisyLabels) -> str:
    """Facts of a label set, with its transition counts if they fit a page."""
    described = labels.describe()
    if not labels.truth_known:
        return rows(
            {**described, "truth": "unknown: these labels are noisy as they were published"}
        )
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


def _option(option: noise.Option) -> str:
    choices = f" ({' | '.join(option.choices)})" if option.choices else ""
    default = f" Default: {option.default}." if option.default is not None else ""
    return f"- `{option.name}`{choices}: {option.help}.{default}"


def catalogue() -> str:
    """All noise models as a Markdown page: syntax, meaning, options, source, who uses what."""
    parts = [PREFACE]
    for row in noise.catalogue():
        parts.append(f"## {row['name']}\n\n`{row['syntax']}`\n\n{row['summary']}\n")
        options = [_option(option) for option in noise.get(row["name"]).options]
        if row["needs"]:
            options.append(f"- needs: {row['needs']}")
        if row["nested"] == "yes":
            options.append(
                "- nested: what flips at one rate flips at every higher rate of its seed"
            )
        parts.append("\n".join(options) + "\n" if options else "")
        parts.append(f"**Source**: {row['source']}. **Used by**: {row['used_by']}.\n")
    return "\n".join(part for part in parts if part)
