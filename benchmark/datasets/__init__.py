"""Data sets: clean labels and uint8 pixels on the host. One file per data set or family."""

from benchmark.datasets import cifar, cifar_jpeg, digits, mnist, npz, svhn  # noqa: F401  (register)
from benchmark.datasets.base import Dataset
from benchmark.datasets.registry import (
    DatasetInfo,
    check_name,
    default_root,
    family,
    info,
    load,
    names,
)

__all__ = [
    "Dataset",
    "DatasetInfo",
    "check_name",
    "default_root",
    "family",
    "info",
    "load",
    "names",
]
