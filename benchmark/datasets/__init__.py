"""Data sets: labels, and uint8 pixels on the host or files on disk. One file per family."""

from nlbench.benchmark.datasets import (  # noqa: F401  (register)
    adapters,
    animal10n,
    cifar,
    cifar_jpeg,
    clothing1m,
    digits,
    folder,
    food101n,
    mnist,
    npz,
    svhn,
    table,
    webvision,
)
from nlbench.benchmark.datasets.base import Dataset
from nlbench.benchmark.datasets.files import FileDataset, ImageFiles
from nlbench.benchmark.datasets.registry import (
    OUTSIDE,
    AnyDataset,
    DatasetInfo,
    NotDownloadedError,
    Source,
    check_name,
    default_root,
    family,
    find,
    info,
    is_outside,
    load,
    names,
    shape,
)

__all__ = [
    "OUTSIDE",
    "AnyDataset",
    "Dataset",
    "DatasetInfo",
    "FileDataset",
    "ImageFiles",
    "NotDownloadedError",
    "Source",
    "check_name",
    "default_root",
    "family",
    "find",
    "info",
    "is_outside",
    "load",
    "names",
    "shape",
]
