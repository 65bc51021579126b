"""Which data sets exist, and how one is loaded by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark.datasets import unpacked
from nlbench.benchmark.datasets.base import Dataset
from nlbench.benchmark.datasets.files import FileDataset
from nlbench.benchmark.errors import UserError, unknown
from nlbench.outside import Kind, importable, one_line


class NotDownloadedError(UserError):
    """A data set is not there; it could be downloaded, which was not allowed."""


@dataclass(frozen=True)
class Source:
    """What a loader is given: the name asked for, its part after the colon, where to look.

    Attributes:
        name: as the user wrote it, e.g. "npz:mine".
        argument: "mine" of "npz:mine"; empty for data sets that take none.
        root: the data folder; need not exist.
        download: whether the network may be used.
    """

    name: str
    argument: str
    root: Path
    download: bool


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """One line of ``nlbench list datasets``; numbers are None where they depend on the file."""

    name: str
    label: str
    family: str
    num_classes: int | None
    shape: tuple[int, int, int] | None
    train: int | None
    test: int | None
    source: str
    argument: str = ""


AnyDataset = Dataset | FileDataset
Loader = Callable[[Source], AnyDataset]
ArrayLoader = Callable[[Source], Dataset]
OUTSIDE = Kind("data set", "nlbench.datasets", UserError)
_REGISTRY: dict[str, tuple[DatasetInfo, Loader]] = {}


def register(entry: DatasetInfo) -> Callable[[Loader], Loader]:
    """Register a loader under ``entry.name``; a second use of the name is a programming error."""

    def decorate(loader: Loader) -> Loader:
        if entry.name in _REGISTRY:
            raise RuntimeError(f"data set {entry.name!r} is registered twice")
        _REGISTRY[entry.name] = (entry, loader)
        return loader

    return decorate


def register_arrays(
    entry: DatasetInfo, files: Callable[[Source], Sequence[Path]]
) -> Callable[[ArrayLoader], ArrayLoader]:
    """Register a loader whose images are unpacked once a machine, see datasets/unpacked.py.

    Args:
        entry: as for :func:`register`.
        files: what the data set is read from; empty where not all of it is there.
    """

    def decorate(loader: ArrayLoader) -> ArrayLoader:
        def load_mapped(source: Source) -> Dataset:
            there = files(source)
            if not there:
                return loader(source)
            return unpacked.mapped(source.name, source.root, there, lambda: loader(source))

        register(entry)(load_mapped)
        return loader

    return decorate


def names() -> tuple[str, ...]:
    """Names of all data sets."""
    return (*_REGISTRY, *(name for name in OUTSIDE.names() if name not in _REGISTRY))


def is_outside(name: str) -> bool:
    """Whether the code that loads a data set is not ours."""
    return name.partition(":")[0] not in _REGISTRY and OUTSIDE.is_outside(name)


def info() -> tuple[DatasetInfo, ...]:
    """What is known of each data set without loading it."""
    return tuple(entry for entry, _ in _REGISTRY.values())


def default_root() -> Path:
    """The data folder: environment variable NLBENCH_DATA, else ``~/.cache/nlbench/data``."""
    named = os.environ.get("NLBENCH_DATA")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "nlbench" / "data"


def family(name: str) -> str:
    """The family of a data set by name alone, e.g. "cifar10" of "cifar10_jpeg".

    Raises:
        UserError: unknown name.
    """
    _resolve(name, "")
    return name if is_outside(name) else _REGISTRY[name.partition(":")[0]][0].family


def shape(name: str) -> tuple[int, int, int] | None:
    """Shape of an image by the data set's name alone; ``None`` where it depends on the file."""
    return None if is_outside(name) else _REGISTRY[name.partition(":")[0]][0].shape


def check_name(name: str, where: str = "") -> None:
    """Raise UserError unless ``name`` can be loaded, judged by the name alone."""
    _resolve(name, where)


def load(name: str, root: Path | None = None, download: bool = False) -> Dataset:
    """Load a data set into memory; arguments as for :func:`find`.

    Raises:
        UserError: as :func:`find`, or its images are read from files while it is trained on.
    """
    dataset = find(name, root, download)
    if isinstance(dataset, FileDataset):
        raise UserError(
            f"data set {name!r} is read from its files while it is trained on: this needs one whose"
            " images are in memory"
        )
    return dataset


def find(name: str, root: Path | None = None, download: bool = False) -> AnyDataset:
    """Load a data set, or the lists of one whose images stay in files.

    Args:
        name: a registered name; "npz:NAME" or "npz:PATH.npz" for one's own arrays; "module:name"
            of a function from outside.
        root: the data folder; None means :func:`default_root`.
        download: fetch what is missing into ``root``.

    Raises:
        UserError: unknown name, or the files are missing, damaged or unfit.
    """
    loader, argument = _resolve(name, "")
    folder = default_root() if root is None else Path(root).expanduser()
    return loader(Source(name, argument, folder, download))


def _resolve(name: str, where: str) -> tuple[Loader, str]:
    base, colon, argument = name.partition(":")
    if is_outside(name) and (not colon or importable(base)):
        return _outside(name), ""
    if base not in _REGISTRY:
        raise unknown("data set", name, _REGISTRY, where)
    entry, loader = _REGISTRY[base]
    place = f" in {where}" if where else ""
    if entry.argument and not argument:
        raise UserError(f"data set {name!r}{place} needs a name: {base}:{entry.argument}")
    if colon and not entry.argument:
        raise UserError(f"data set {name!r}{place}: {base!r} takes nothing after a colon")
    return loader, argument


def _outside(name: str) -> Loader:
    """A loader from outside; whatever it does wrong becomes one line (UserError)."""
    found = OUTSIDE.load(name)
    if not callable(found) or isinstance(found, type):
        raise OUTSIDE.refusal(name, found, "a function source -> Dataset")

    def loaded(source: Source) -> AnyDataset:
        try:
            made: object = found(source)
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"data set {name!r} raised {one_line(error)}") from error
        if not isinstance(made, Dataset | FileDataset):
            raise OUTSIDE.refusal(name, made, "a Dataset: what the function returns")
        if made.name != name:
            raise UserError(f"data set {name!r} calls itself {made.name!r}: name=source.name")
        return made

    return loaded
