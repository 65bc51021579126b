"""The datasheet of a release, after Gebru et al., Datasheets for Datasets (2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

if TYPE_CHECKING:
    from nlbench.benchmark.labels.release.files import Entry

FILE = "README.md"
TEXT = """\
# Noisy labels to download

Noisy training labels of the usual settings, one table for each data set and noise. `clean` is the
label as published, `seed_0` to `seed_4` are five draws of the noise; `sample` is the place in the
official training set (in torchvision's order). In Python:
`pandas.read_csv("cifar10/symmetric-0.4.csv.gz")["seed_0"]`. These are the labels that `nlbench
run` trains on, to the bit. [labels.csv](labels.csv) lists every label set with its setting as
settled, realised rate and fingerprints; [croissant.json](croissant.json) says the same to
machines. [fingerprints.csv](fingerprints.csv) holds the fingerprints of many more settings, whose
labels `nlbench noise make` draws.

    nlbench noise release results/noise --check    # checks the files, draws every label again
    nlbench noise release results/noise            # writes them all (needs the data sets)

{table}

## Datasheet

**Why it was made.** Work on noisy labels compares methods on labels that everyone draws anew, in
ways that differ under the same name. Here they are as files that can be used with any code, and
cited.

**What is in it.** Labels only: no image, no personal data. {sets} label sets, {files} files.
Nothing is missing: every training sample has a clean label and five noisy ones. The clean labels
are those of the data sets and have their errors, which nothing here corrects. Samples of a seed
are in one file; seeds share nothing but the clean labels.

**How the labels were made.** By `noise/` of nlbench from the clean labels, for instance-dependent
noise from the pixels too (MNIST and Fashion-MNIST only, whose images everyone has to the bit; in
[0, 1]). Symmetric noise moves a label to each other class alike and never to itself; exactly the
nominal share of each class changes. Asymmetric noise moves labels along the usual map of each
data set (`docs/noise.md`; on CIFAR-100 within blocks of five consecutive classes), the nominal
share of each class that is in the map: the realised rate of all labels may be lower.
Instance-dependent noise follows Xia et al. (2020). `labels.csv` has the whole line of each,
options named; random numbers are raw words of Philox, so the same bits come out on every machine.

**What it is for.** Training and comparing methods under the same labels; testing other code's
noise. Report the noise line, the seeds and the realised rate. It is not for judging how people
err: no person labelled anything here (for that: CIFAR-N). Do not tune on the clean labels: a
method that sees them was told.

**What could go wrong.** Synthetic noise is easier than real noise in some ways and harder in
others: conclusions about it are about it. At high rates of asymmetric noise the wrong class is
nearly the majority.

**Under which terms.** These files: MIT, like nlbench. The labels of the data sets keep their own
terms: Fashion-MNIST MIT; MNIST CC BY-SA 3.0; CIFAR-10 and CIFAR-100 name none and ask to cite
Krizhevsky (2009).

**Who keeps it.** The nlbench contributors. A label set that turns out wrong is withdrawn with a
note in `fingerprints.csv`, and gets a successor under another noise line: a fingerprint never
changes its meaning.
"""


def page(entries: Sequence[Entry]) -> str:
    """The page, with a table of the files."""
    files: dict[str, list[Entry]] = {}
    for entry in entries:
        files.setdefault(entry.file, []).append(entry)
    rows = [
        (
            f"[{file}]({file})",
            sets[0].noise,
            f"{sets[0].samples:,}",
            " / ".join(dict.fromkeys(f"{100 * float(entry.realised):.2f}" for entry in sets)),
        )
        for file, sets in files.items()
    ]
    head = ("file", "noise, as settled", "samples", "realised rate, %")
    table = tabulate(rows, head, tablefmt="github", disable_numparse=True)
    return TEXT.format(table=table, sets=len(entries), files=len(files))
