"""The part of a data set that a spec names: its classes, its size, and what is unknown."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import AnyDataset, Dataset, FileDataset
from nlbench.benchmark.datasets.base import Pixels
from nlbench.benchmark.datasets.files import folder_of_images, nameless
from nlbench.benchmark.datasets.fit import fit
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.open_set import Unknown
from nlbench.benchmark.spec.run_spec import DatasetSpec


def described(spec: DatasetSpec, root: Path | None) -> AnyDataset:
    """The data set a spec names as :func:`host` has it, or the lists of one in files.

    Raises:
        UserError: it cannot be had, is too small, or is asked for what it cannot give.
    """
    whole = _host(spec.name, root)
    if not isinstance(whole, FileDataset):
        if spec.size is not None:
            raise UserError(
                f"dataset: size = {spec.size} is for images that are read from files; those of"
                f" {spec.name!r} are in memory"
            )
        return host(spec, root)
    whole = _with_unknown(whole.at(spec.size), _unknown(spec), root)
    return whole.subset(spec.train_per_class)


def _with_unknown(whole: FileDataset, unknown: Unknown | None, root: Path | None) -> FileDataset:
    """The data set with its known classes, or with the foreign images to distinguish."""
    if unknown is None:
        return whole
    if not unknown.foreign:
        return whole.only(unknown.known(whole.num_classes))
    if unknown.folder:
        place = datasets.default_root() if root is None else root
        return replace(whole, unknown=folder_of_images(place / unknown.folder))
    foreign = _host(unknown.foreign, root)
    if not isinstance(foreign, FileDataset):
        raise UserError(
            f"dataset: unknown = {str(unknown)!r}: images of {whole.name!r} are read from files and"
            f' those of {unknown.foreign!r} are in memory; name a folder, "foreign:images:FOLDER"'
        )
    return replace(whole, unknown=nameless(foreign.test))


def host(spec: DatasetSpec, root: Path | None) -> Dataset:
    """The data set a spec names, of its known classes, cut to its size.

    Raises:
        UserError: it cannot be had, or has too few classes or images.
    """
    whole = _in_memory(spec.name, root)
    unknown = _unknown(spec)
    if unknown is not None and not unknown.foreign:
        whole = whole.only(unknown.known(whole.num_classes))
    return whole.subset(spec.train_per_class)


def unknown_images(spec: DatasetSpec, root: Path | None) -> Pixels | None:
    """Test images (U, C, H, W) of the unknown classes or of the foreign data set.

    Raises:
        UserError: the foreign data set cannot be had, or its images do not fit.
    """
    unknown = _unknown(spec)
    if unknown is None:
        return None
    whole = _in_memory(spec.name, root)
    if unknown.folder:
        raise UserError(
            f"dataset: unknown = {str(unknown)!r} goes with data sets that are read from files;"
            f" {spec.name!r} is in memory"
        )
    if unknown.foreign:
        return fit(_in_memory(unknown.foreign, root).x_test, whole.in_shape, unknown.foreign)
    return whole.x_test[~np.isin(whole.y_test, unknown.known(whole.num_classes))]


def original_index(spec: DatasetSpec, root: Path | None) -> NDArray[np.int64] | None:
    """Positions of the training images in the data set's own order; ``None`` where all are used."""
    unknown = _unknown(spec)
    if spec.train_per_class is None and (unknown is None or unknown.foreign):
        return None
    whole = _host(spec.name, root)
    known = range(whole.num_classes) if unknown is None else unknown.known(whole.num_classes)
    members = [np.flatnonzero(whole.y_train == c)[: spec.train_per_class] for c in known]
    return np.sort(np.concatenate(members))


def _unknown(spec: DatasetSpec) -> Unknown | None:
    return None if spec.unknown is None else Unknown.parse(spec.unknown)


def _in_memory(name: str, root: Path | None) -> Dataset:
    whole = _host(name, root)
    if isinstance(whole, FileDataset):
        raise UserError(
            f"data set {name!r} is read from files: its images are not in memory, which this needs"
        )
    return whole


@lru_cache(maxsize=3)
def _host(name: str, root: Path | None) -> AnyDataset:
    return datasets.find(name, root, download=False)
