"""CIFAR-10 as JPEG images of quality 75: real pixels where the official ones cannot be had."""

from __future__ import annotations

import io
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from nlbench.benchmark.datasets.base import Dataset
from nlbench.benchmark.datasets.cifar import CIFAR10_MEAN, CIFAR10_STD
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register_arrays
from nlbench.benchmark.errors import UserError

LABEL = "CIFAR-10 (JPEG q75)"
PACK = "cifar10-jpeg.npz"
_SHAPE = (60_000, 3, 32, 32)
_TRAIN = 50_000
_CHUNK = 500

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Streams:
    """JPEG streams that share one header: stream i is header + body[offsets[i]:offsets[i + 1]]."""

    header: bytes
    body: bytes
    offsets: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def decode(self, start: int, stop: int) -> Bytes:
        """Images start..stop-1 as (n, 3, 32, 32) uint8 RGB."""
        out = np.empty((stop - start, 32, 32, 3), dtype=np.uint8)
        for i in range(start, stop):
            stream = self.header + self.body[self.offsets[i] : self.offsets[i + 1]]
            with Image.open(io.BytesIO(stream), formats=("JPEG",)) as image:
                out[i - start] = np.asarray(image)
        return np.ascontiguousarray(out.transpose(0, 3, 1, 2))


@register_arrays(
    DatasetInfo(
        name="cifar10_jpeg",
        label=LABEL,
        family="cifar10",
        num_classes=10,
        shape=(3, 32, 32),
        train=50_000,
        test=10_000,
        source=f"{PACK} in ROOT",
    ),
    files=lambda source: [path] if (path := source.root / PACK).is_file() else [],
)
def load_cifar10_jpeg(source: Source) -> Dataset:
    """CIFAR-10 in official order and labels, pixels from JPEG quality 75 (4:2:0).

    Not the official pixels (median PSNR 30.5 dB), hence its own name and label everywhere.
    Normalised by CIFAR-10's protocol constants.
    """
    path = source.root / PACK
    if not path.is_file():
        raise UserError(
            f"data set {source.name!r} is not there: looked for {path}; it cannot be downloaded, "
            "name the data root that holds it"
        )
    pack = _read_pack(path)
    images = _decode(pack)
    return Dataset(
        name=source.name,
        family="cifar10",
        label=LABEL,
        class_names=pack.class_names,
        x_train=images[:_TRAIN],
        y_train=pack.y_train,
        x_test=images[_TRAIN:],
        y_test=pack.y_test,
        mean=CIFAR10_MEAN,
        std=CIFAR10_STD,
    )


@dataclass(frozen=True, kw_only=True)
class Pack:
    """The content of the packed file."""

    train: Streams
    test: Streams
    y_train: npt.NDArray[np.int64]
    y_test: npt.NDArray[np.int64]
    class_names: tuple[str, ...]


def _read_pack(path: Path) -> Pack:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            header = arrays["header"].tobytes()
            train, test = (
                Streams(
                    header,
                    arrays[f"{part}_jpeg"].tobytes(),
                    tuple(arrays[f"{part}_offset"].tolist()),
                )
                for part in ("train", "test")
            )
            y_train = arrays["train_label"].astype(np.int64)
            y_test = arrays["test_label"].astype(np.int64)
            class_names = tuple(str(name) for name in arrays["class_names"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not the packed JPEG copy of CIFAR-10: {error}") from error
    if (len(train), len(test)) != (_TRAIN, _SHAPE[0] - _TRAIN):
        raise UserError(f"{path}: {len(train)} + {len(test)} images; 50000 + 10000 are needed")
    return Pack(
        train=train,
        test=test,
        y_train=y_train,
        y_test=y_test,
        class_names=class_names,
    )


def _decode(pack: Pack) -> Bytes:
    """Decode everything with a few threads; Pillow releases the interpreter while it decodes."""
    images = np.empty(_SHAPE, dtype=np.uint8)
    jobs = [
        (streams, first, start)
        for streams, first in ((pack.train, 0), (pack.test, _TRAIN))
        for start in range(0, len(streams), _CHUNK)
    ]

    def work(job: tuple[Streams, int, int]) -> None:
        streams, first, start = job
        stop = min(start + _CHUNK, len(streams))
        images[first + start : first + stop] = streams.decode(start, stop)

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(work, jobs))
    return images
