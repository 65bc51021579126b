"""Human labels: CIFAR-10N and CIFAR-100N (Wei et al. 2022), read from their published files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nlbench.noise.errors import NoiseError
from nlbench.noise.files import as_labels, file_facts, pick
from nlbench.noise.published import align, check_clean, check_range
from nlbench.noise.registry import Draw, Model, Option, register
from nlbench.noise.safe_pickle import read_pt
from nlbench.noise.task import Task


@dataclass(frozen=True)
class LabelSet:
    """Where a set of human labels is stored: file, keys, number of classes."""

    file: str
    noisy: str
    clean: str
    num_classes: int


def _cifar10(key: str) -> LabelSet:
    return LabelSet("CIFAR-10_human.pt", key, "clean_label", 10)


SETS = {
    "aggre": _cifar10("aggre_label"),
    "worse": _cifar10("worse_label"),
    "random1": _cifar10("random_label1"),
    "random2": _cifar10("random_label2"),
    "random3": _cifar10("random_label3"),
    "fine": LabelSet("CIFAR-100_human.pt", "noisy_label", "clean_label", 100),
    "coarse": LabelSet("CIFAR-100_human.pt", "noisy_coarse_label", "clean_coarse_label", 20),
}

# Folders under the data folder in which the files are looked for.
_PLACES = (".", "cifar-n", "cifar-10-100n", "cifar-10-100n/data", "CIFAR-N")


def draw(task: Task) -> Draw:
    """Return the published labels after checking the file's clean labels against the data set."""
    name = task.options["set"]
    chosen = SETS[name]
    if task.num_classes != chosen.num_classes:
        raise NoiseError(
            f"human:{name}: is for {chosen.num_classes} classes, the labels have {task.num_classes}"
        )
    path = _find(chosen.file, task.folder)
    columns = read_pt(path)
    noisy, clean = (
        align(task, path.name, as_labels(path, key, pick(path, columns, key)))
        for key in (chosen.noisy, chosen.clean)
    )
    check_clean(task, path.name, clean)
    check_range(task, path.name, noisy)
    return Draw(noisy, details=file_facts(path))


def _find(file: str, folder: Path | None) -> Path:
    if folder is None:
        raise NoiseError(f"human labels: name the folder that holds {file}")
    for place in _PLACES:
        if (folder / place / file).is_file():
            return folder / place / file
    raise NoiseError(
        f"human labels: no {file} in {folder} or its folder cifar-n; it is published in the GitHub "
        "repository UCSC-REAL/cifar-10-100n, folder data (CC BY-NC 4.0)"
    )


register(
    Model(
        name="human",
        draw=draw,
        argument="set",
        options=(
            Option(
                "set",
                "CIFAR-10N: aggre (majority of three people), worse (a wrong one if there is any), "
                "random1-3 (one of them); CIFAR-100N: fine, coarse",
                choices=tuple(SETS),
            ),
        ),
        summary=(
            "Labels that people gave to the CIFAR training images. Realised rates: aggre 9.0 %, "
            "random1-3 17.2, 18.1 and 17.6 %, worse 40.2 %, fine 40.2 %, coarse 26.4 %. Every seed "
            "gives the same labels. The files (CC BY-NC 4.0) lie in the data folder."
        ),
        source="Wei et al., ICLR 2022 (CIFAR-N); UCSC-REAL/cifar-10-100n",
        used_by="most papers since 2022; Drainage uses worse and fine",
    )
)
