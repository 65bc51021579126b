"""Labels of any kind as numbers 0 to K - 1, and such numbers as labels of that kind again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.errors import UserError

Codes = NDArray[np.int64]
KINDS = "a list, a tuple, a NumPy array, a torch tensor or a pandas Series"


@dataclass(frozen=True)
class Coded:
    """Labels as numbers.

    Attributes:
        codes: (N,) places in ``classes``.
        classes: the distinct labels, sorted; the categories in their order where there are some.
        back: numbers -> labels of the kind that was given.
    """

    codes: Codes
    classes: tuple[Any, ...]
    back: Callable[[Codes], Any]


def coded(labels: object, num_classes: int | None = None) -> Coded:
    """Labels of any kind as numbers.

    Args:
        labels: one per sample, in one of KINDS.
        num_classes: how many classes there must be; labels that are whole numbers are 0 to
            ``num_classes`` - 1 then.

    Raises:
        UserError: another kind, a label that is missing or no class, other classes than expected.
    """
    torch, pandas = sys.modules.get("torch"), sys.modules.get("pandas")
    if isinstance(labels, list | tuple):
        found = _of_items(labels, type(labels) if type(labels) in (list, tuple) else list)
    elif isinstance(labels, np.ndarray):
        found = _of_array(labels)
    elif torch is not None and isinstance(labels, torch.Tensor):
        found = _of_tensor(labels, torch)
    elif pandas is not None and isinstance(labels, pandas.Series):
        found = _of_series(labels, pandas)
    else:
        raise UserError(f"labels of type {type(labels).__name__}: should be {KINDS}")
    _check_classes(found.classes, num_classes)
    return found


def _of_items(labels: Sequence[object], kind: Callable[[Iterable[Any]], Any]) -> Coded:
    items = [_scalar(at, label) for at, label in enumerate(labels)]
    if not items:
        raise UserError("labels: there are none")
    try:
        classes = sorted(set(items))
    except TypeError:
        types = sorted({type(item).__name__ for item in items})
        raise UserError(f"labels of the types {', '.join(types)}: should be of one") from None
    _check_whole(classes, items.index)
    place = {label: at for at, label in enumerate(classes)}
    codes = np.array([place[item] for item in items], dtype=np.int64)
    return Coded(codes, tuple(classes), lambda noisy: kind(classes[code] for code in noisy))


def _of_array(labels: NDArray[Any]) -> Coded:
    _check_shape(labels.shape)
    if labels.dtype.kind == "O":
        return _of_items(labels.tolist(), lambda items: np.array([*items], dtype=object))
    classes, codes = np.unique(labels, return_inverse=True)
    _check_whole(classes.tolist(), lambda bad: _first(labels, bad))
    return Coded(codes.astype(np.int64), tuple(classes.tolist()), lambda noisy: classes[noisy])


def _of_tensor(labels: Any, torch: Any) -> Coded:
    found = _of_array(labels.detach().cpu().numpy())
    return Coded(
        found.codes,
        found.classes,
        lambda noisy: torch.as_tensor(found.back(noisy), dtype=labels.dtype, device=labels.device),
    )


def _of_series(labels: Any, pandas: Any) -> Coded:
    if labels.empty:
        raise UserError("labels: there are none")
    if isinstance(labels.dtype, pandas.CategoricalDtype):
        codes, classes = labels.cat.codes.to_numpy(), labels.cat.categories
        unused = sorted(set(range(len(classes))) - set(codes.tolist()))
        if unused:
            raise UserError(
                f"labels: category {classes[unused[0]]!r} has no samples;"
                " labels.cat.remove_unused_categories() leaves it out"
            )
    else:
        codes, classes = pandas.factorize(labels, sort=True)
    if (codes < 0).any():
        missing = labels.index.tolist()[int(np.flatnonzero(codes < 0)[0])]
        raise UserError(f"labels: the one at index {missing!r} is missing")
    plain = classes.tolist()
    _check_whole(plain, lambda bad: labels.index.tolist()[labels.tolist().index(bad)])
    kept = {"index": labels.index, "name": labels.name, "dtype": labels.dtype}
    return Coded(
        codes.astype(np.int64),
        tuple(plain),
        lambda noisy: pandas.Series(classes.take(noisy), **kept),
    )


def _scalar(at: int, label: Any) -> Any:
    """A label as a Python value: numbers of NumPy and tensors without dimensions have ``item``."""
    if isinstance(label, list | tuple | dict | set) or getattr(label, "ndim", 0) != 0:
        raise UserError(f"labels: the one at index {at} is a {type(label).__name__}; {_ONE}")
    value = label.item() if hasattr(label, "item") else label
    if value is None or (value != value) is not False:  # NaN, NaT, pandas.NA
        raise UserError(f"labels: the one at index {at} is missing")
    return value


_ONE = "should be one label per sample (of one-hot rows: argmax(axis=1))"


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 1:
        raise UserError(f"labels of shape {shape}: {_ONE}")
    if shape == (0,):
        raise UserError("labels: there are none")


def _check_whole(classes: Sequence[object], first: Callable[[Any], object]) -> None:
    """Refuse what is a measurement and no class; ``first`` is where a value is."""
    for label in classes:
        if isinstance(label, float) and not label.is_integer():
            where = f"labels: {label:g} at index {first(label)!r}"
            raise UserError(f"{where} is no class, which is a whole number or a name")


def _first(labels: NDArray[Any], value: float) -> int:
    return int(np.flatnonzero(np.isnan(labels) if value != value else labels == value)[0])


def _check_classes(classes: Sequence[Any], expected: int | None) -> None:
    if expected is None:
        return
    if isinstance(expected, bool) or not isinstance(expected, int | np.integer) or expected < 1:
        raise UserError(f"num_classes {expected!r}: should be a whole number from 1 on")
    if all(isinstance(label, int | float) for label in classes):
        for label in classes:
            if not 0 <= label < expected:
                raise UserError(f"labels: {label} is not one of 0 to {expected - 1}")
        empty = sorted(set(range(int(expected))) - set(classes))
        if empty:
            raise UserError(
                f"labels: class {empty[0]} has no samples ({len(empty)} of {expected} are empty)"
            )
    elif len(classes) != expected:
        raise UserError(f"labels have {len(classes)} classes, but num_classes is {expected}")
