"""Named class maps for asymmetric noise; where papers disagree, each map has its own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nlbench.noise.errors import NoiseError, nearest
from nlbench.noise.files import MATRIX_SUFFIXES, file_facts, find_file, read_targets
from nlbench.noise.registry import Scalar
from nlbench.noise.rng import raw
from nlbench.noise.task import Labels


@dataclass(frozen=True)
class FlipMap:
    """A named map of source classes to target classes, with where it comes from.

    ``targets(K, rng)`` returns (K,) int64; a class that maps to itself is not a source; ``rng``
    is for a map that is ``drawn``. ``order``: of the sources in published code that takes them from
    the labels it is changing; empty where none is known to.
    """

    family: str
    name: str
    targets: Callable[[int, np.random.Generator], Labels]
    note: str
    order: tuple[int, ...] = ()
    drawn: bool = False
    facts: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """The name with its family, as in ``fashion_mnist/gce``."""
        return f"{self.family}/{self.name}"


# Super-class of each of the 100 fine classes of CIFAR-100 (both in alphabetical order).
CIFAR100_COARSE = (
    4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11,
    6, 11, 5, 10, 7, 6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5,
    5, 19, 8, 8, 15, 13, 14, 17, 18, 10, 16, 4, 17, 4, 2, 0, 17, 4, 18, 17,
    10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16, 12, 9, 13, 15, 13,
    16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13,
)  # fmt: skip

# Data sets that share the classes, and so the maps, of another one.
_FAMILY = {"digits": "mnist", "cifar10_jpeg": "cifar10"}

# The map of a data set where the setting names none. CIFAR-100 has no silent default: papers ran
# another one (block5) than they describe (superclass). Fashion-MNIST has three that differ; that of
# the GCE paper is semantic (confusable garments), the oldest, and always printed.
_DEFAULT = {"mnist": "standard", "cifar10": "standard", "fashion_mnist": "gce"}


def _published(
    family: str, name: str, flips: Mapping[int, int], note: str, sequential: bool = False
) -> FlipMap:
    """Return a map of ten classes from source -> target pairs in the published order."""

    def targets(k: int, _rng: np.random.Generator) -> Labels:
        if k != 10:
            raise NoiseError(f"the map is for 10 classes, the labels have {k}")
        result = np.arange(k, dtype=np.int64)
        for source, target in flips.items():
            result[source] = target
        return result

    return FlipMap(family, name, targets, note, tuple(flips) if sequential else ())


def superclass_targets(k: int, _rng: np.random.Generator | None = None) -> Labels:
    """Next fine class inside the same CIFAR-100 super-class, the last one to the first."""
    if k != 100:
        raise NoiseError(f"the map is for the 100 fine classes of CIFAR-100, the labels have {k}")
    coarse = np.array(CIFAR100_COARSE)
    result = np.arange(100, dtype=np.int64)
    for group in range(20):
        members = np.flatnonzero(coarse == group)
        result[members] = np.roll(members, -1)
    return result


def block5_targets(k: int, _rng: np.random.Generator | None = None) -> Labels:
    """Next label inside blocks of five: i -> 5 floor(i/5) + ((i+1) mod 5)."""
    if k % 5:
        raise NoiseError(f"the map needs blocks of five classes, the labels have {k}")
    classes = np.arange(k, dtype=np.int64)
    return classes // 5 * 5 + (classes + 1) % 5


def sce_targets(k: int, rng: np.random.Generator) -> Labels:
    """Two random classes of each block of five swap, the other three stay clean."""
    if k % 5:
        raise NoiseError(f"the map needs blocks of five classes, the labels have {k}")
    order = np.argsort(raw(rng, k).reshape(-1, 5), axis=1, kind="stable")
    first, second = (5 * np.arange(k // 5) + order[:, column] for column in (0, 1))
    result = np.arange(k, dtype=np.int64)
    result[first], result[second] = second, first
    return result


_MAPS = (
    _published("mnist", "standard", {7: 1, 2: 7, 5: 6, 6: 5, 3: 8},
            "Patrini et al. 2017 and most papers: 7>1, 2>7, 3>8, 5<>6"),
    _published("mnist", "cdr", {2: 7, 3: 8, 5: 6, 6: 5},
            "CDR (Xia et al. 2021): the standard map without 7>1"),
    _published("fashion_mnist", "gce", {9: 7, 7: 5, 2: 6, 4: 3, 3: 4},
            "GCE (Zhang & Sabuncu 2018): boot>sneaker>sandal, pullover>shirt, coat<>dress"),
    _published("fashion_mnist", "cdr", {0: 6, 2: 4, 5: 7, 7: 5},
            "CDR (Xia et al. 2021): T-shirt>shirt, pullover>coat, sandal<>sneaker"),
    _published("fashion_mnist", "third-script", {9: 1, 5: 7, 2: 6, 4: 6, 6: 4, 3: 0},
            "a third public script: boot>trouser (its text says sneaker), sandal>sneaker, "
            "pullover>shirt, coat<>shirt, dress>T-shirt"),
    _published("cifar10", "standard", {9: 1, 2: 0, 3: 5, 5: 3, 4: 7},
            "all papers: truck>automobile, bird>airplane, deer>horse, cat<>dog", sequential=True),
    FlipMap("cifar100", "superclass", superclass_targets,
            "next class inside the true super-class (what papers say; GJS ran it)"),
    FlipMap("cifar100", "block5", block5_targets,
            "next of five consecutive labels (what nearly all papers ran; 6 of 100 are semantic)"),
    FlipMap("cifar100", "sce", sce_targets,
            "SCE (Wang et al. 2019): two random labels of five consecutive ones swap, by the seed",
            drawn=True),
)  # fmt: skip

MAPS: Mapping[str, FlipMap] = {item.full_name: item for item in _MAPS}


def default_map(dataset: str | None, num_classes: int) -> str:
    """Return the default map of a data set; NoiseError where none is agreed."""
    family = _FAMILY.get(dataset or "", dataset or "")
    if family in _DEFAULT:
        return _DEFAULT[family]
    known = [item.name for item in _MAPS if item.family == family]
    choice = " or ".join(f"map={name}" for name in known or sorted(MAPS))
    where = f"data set '{dataset}'" if dataset else f"labels of {num_classes} classes"
    raise NoiseError(f"asymmetric: no flip map is agreed for {where}; name one: {choice}")


def find_map(name: str, dataset: str | None, folder: Path | None = None) -> FlipMap:
    """Return the map of that name: within the data set's family first, then among all.

    ``family/name`` selects any map; a name ending in .json, .csv or .npy is a file (see
    ``nlbench.noise.files.read_targets``). NoiseError for unknown and for ambiguous names.
    """
    if name.endswith(MATRIX_SUFFIXES):
        return _from_file(find_file(name, folder))
    family = _FAMILY.get(dataset or "", dataset or "")
    for key in (name, f"{family}/{name}"):
        if key in MAPS:
            return MAPS[key]
    same = [item for item in _MAPS if item.name == name]
    if len(same) == 1:
        return same[0]
    if same:
        full = ", ".join(item.full_name for item in same)
        raise NoiseError(f"map '{name}' is one of several ({full}); name it in full")
    known = [item.name for item in _MAPS if item.family == family] or list(MAPS)
    raise NoiseError(f"unknown flip map '{name}'; {nearest(name, known)}")


def _from_file(path: Path) -> FlipMap:
    def targets(k: int, _rng: np.random.Generator) -> Labels:
        return read_targets(path, k)

    return FlipMap("file", path.name, targets, "a file", facts=file_facts(path))
