"""Bring your own arrays: one .npz file with x_train, y_train, x_test, y_test."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nlbench.benchmark.datasets.base import Dataset, Labels, Pixels, channel_statistics
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register_arrays
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine import memory
from nlbench.noise import arrays as files

_NEEDED = ("x_train", "y_train", "x_test", "y_test")
_CHANNELS = (1, 3)
Array = npt.NDArray[Any]


@register_arrays(
    DatasetInfo(
        name="npz",
        label="NAME",
        family="npz",
        num_classes=None,
        shape=None,
        train=None,
        test=None,
        source="ROOT/NAME.npz or a path ending in .npz, with "
        "x_train, y_train, x_test, y_test and, if wanted, class_names",
        argument="NAME",
    ),
    files=lambda source: [path] if (path := _path(source)).is_file() else [],
)
def load_npz(source: Source) -> Dataset:
    """Load one's own arrays.

    Images are (N, H, W), (N, C, H, W) or, where only the last axis can be the channels (1 or 3
    and the second axis is neither), (N, H, W, C); vectors are (N, D). Labels are integers in
    0..K-1, K being the number of ``class_names`` or, without them, the largest training label
    plus one. Every class needs a training sample.

    Pixels: integers in 0..255 become uint8. Floats must be finite; if every one of them lies
    exactly on the 8-bit grid (integers 0..255, or k/255 within 0..1 as float32) they become
    uint8, else all stay float32 in their own units. Normalisation constants come from the
    training images, per channel (per feature for vectors).

    Raises:
        UserError: the file or an array is missing, damaged, of the wrong shape or type, pickled,
            not finite or out of range.
    """
    path = _path(source)
    arrays = _read(path)
    x_train, x_test = (layout(arrays[name], f"{path}: {name}") for name in ("x_train", "x_test"))
    if x_train.shape[1:] != x_test.shape[1:]:
        raise UserError(
            f"{path}: images of x_train are {x_train.shape[1:]}, of x_test {x_test.shape[1:]}; "
            "they must agree"
        )
    x_train, x_test = pixels(x_train, x_test, str(path))
    y_train, y_test = (_labels(arrays[name], f"{path}: {name}") for name in ("y_train", "y_test"))
    mean, std = channel_statistics(x_train) if len(x_train) else ((), ())
    return Dataset(
        name=source.name,
        family="npz",
        label=path.stem,
        class_names=_class_names(arrays, y_train, str(path)),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        mean=mean,
        std=std,
        given_labels=None,
    )


def _path(source: Source) -> Path:
    if source.argument.endswith(".npz"):
        return Path(source.argument).expanduser()
    return source.root / f"{source.argument}.npz"


def _read(path: Path) -> dict[str, Array]:
    if not path.is_file():
        raise UserError(f"no such file: {path} (npz:NAME is NAME.npz in the data root)")
    try:
        arrays = files.load(path, memory.physical())
        if not isinstance(arrays, dict):
            raise UserError(f"{path}: a single array; an .npz archive of named arrays is needed")
    except UserError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path}: not an .npz file of plain arrays: {error}") from error
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        held = ", ".join(sorted(arrays)) or "nothing"
        raise UserError(f"{path}: {', '.join(missing)} missing; it holds {held}")
    return arrays


def layout(images: Array, where: str) -> Array:
    """Bring images to (N, C, H, W)."""
    if images.ndim == 2:
        return images[:, :, None, None]
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4:
        last = images.shape[3] in _CHANNELS and images.shape[1] not in _CHANNELS
        return images.transpose(0, 3, 1, 2) if last else images
    raise UserError(
        f"{where} has shape {images.shape}; (N, H, W), (N, C, H, W), (N, H, W, C) "
        "or (N, D) is needed"
    )


def pixels(train: Array, test: Array, where: str) -> tuple[Pixels, Pixels]:
    """Both parts as uint8 if both lie on one 8-bit grid, else both as float32."""
    for part, images in (("x_train", train), ("x_test", test)):
        if not np.issubdtype(images.dtype, np.integer):
            if not np.issubdtype(images.dtype, np.floating):
                raise UserError(f"{where}: {part} is {images.dtype}; numbers are needed")
            if not np.isfinite(_contiguous32(images)).all():
                raise UserError(f"{where}: {part} holds pixels that are not finite in float32")
        elif images.size and (images.min() < 0 or images.max() > 255):
            raise UserError(
                f"{where}: {part} holds integers {images.min()}..{images.max()}; "
                "integer pixels must lie in 0..255 (use floats for other ranges)"
            )
    for scale in (255, 1):  # 0..1 first: images of zeros and ones only are then full contrast
        codes = _on_grid(train, scale), _on_grid(test, scale)
        if codes[0] is not None and codes[1] is not None:
            return codes[0], codes[1]
    return _contiguous32(train), _contiguous32(test)


def _on_grid(images: Array, scale: int) -> npt.NDArray[np.uint8] | None:
    """Codes c with images == c / scale exactly (as float32), or None if there are none."""
    if np.issubdtype(images.dtype, np.integer):
        return np.ascontiguousarray(images, dtype=np.uint8) if scale == 1 else None
    if images.size and (images.min() < 0 or images.max() * scale > 255.5):
        return None
    codes = np.rint(images.astype(np.float64) * scale)
    if not np.array_equal((codes / scale).astype(np.float32), images.astype(np.float32)):
        return None
    return np.ascontiguousarray(codes, dtype=np.uint8)


def _contiguous32(images: Array) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(images, dtype=np.float32)


def _labels(labels: Array, where: str) -> Labels:
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{where} is {labels.dtype}; integer labels are needed")
    return np.array(labels, dtype=np.int64)


def _class_names(arrays: dict[str, Array], y_train: Labels, where: str) -> tuple[str, ...]:
    if "class_names" in arrays:
        names = tuple(str(name) for name in arrays["class_names"].reshape(-1))
    else:
        names = tuple(str(k) for k in range(int(y_train.max(initial=-1)) + 1))
    if len(names) < 2:
        raise UserError(f"{where}: {len(names)} class; at least two are needed")
    if len(set(names)) < len(names):
        raise UserError(f"{where}: class_names repeats a name")
    return names
