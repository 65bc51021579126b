"""Bring your own table: a CSV, TSV or Parquet file, one row per sample, one column of labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nlbench.benchmark.datasets.base import Dataset, Labels
from nlbench.benchmark.datasets.own_arrays import ONE_IN, classes_of, coded, held_out
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register
from nlbench.benchmark.datasets.words import path_of, place_and_options
from nlbench.benchmark.errors import UserError, unknown

if TYPE_CHECKING:
    import pandas as pd

KINDS = (".csv", ".tsv", ".parquet")
OPTIONS = ("label", "test")
Numbers = npt.NDArray[np.float64]


@register(
    DatasetInfo(
        name="table",
        label="FILE",
        family="table",
        num_classes=None,
        shape=(1, 1, 1),  # rows are no images: the network of a suite that names none is mlp
        train=None,
        test=None,
        source="ROOT/FILE or a path, .csv, .tsv or .parquet; column of labels: label=COLUMN (else"
        f" 'label'); test=FILE (default: one in {ONE_IN} rows of each class)",
        argument="FILE[:label=COLUMN][:test=FILE]",
    )
)
def load_table(source: Source) -> Dataset:
    """One's own table: numbers in every column but that of labels, standardised on training rows.

    Raises:
        UserError: the file, a column or a value that is not what is needed.
    """
    features, labels, classes, where = _read_first(source)
    _, options = place_and_options(source, OPTIONS)
    if "test" not in options:
        test = held_out(labels)
        if not test.any():
            raise UserError(
                f"{where}: no class has {ONE_IN} rows, of which one would be held out for testing;"
                " name a table for it, test=FILE"
            )
        parts = features[~test], labels[~test], features[test], labels[test]
        return _dataset(source, classes, *parts)
    path = path_of(source, options["test"])
    frame = _frame(path)
    column = options.get("label", "label")
    names = list(_frame(Path(where)).columns)
    if list(frame.columns) != names:
        other = sorted(set(map(str, frame.columns)) ^ set(map(str, names)))
        raise UserError(f"{path}: columns differ from those of {where}: {', '.join(other[:3])}")
    tested, raw = _split(frame, column, str(path))
    return _dataset(source, classes, features, labels, tested, coded(raw, classes, str(path)))


def whole_table(source: Source) -> Dataset:
    """All rows as training rows, in their order; the test part repeats them."""
    features, labels, classes, _ = _read_first(source)
    return _dataset(source, classes, features, labels, features, labels)


def _read_first(source: Source) -> tuple[Numbers, Labels, tuple[str, ...], str]:
    place, options = place_and_options(source, OPTIONS)
    path = path_of(source, place)
    features, raw = _split(_frame(path), options.get("label", "label"), str(path))
    classes = classes_of(raw, f"{path}, column {options.get('label', 'label')!r}")
    return features, coded(raw, classes, str(path)), classes, str(path)


def _dataset(
    source: Source,
    classes: tuple[str, ...],
    x_train: Numbers,
    y_train: Labels,
    x_test: Numbers,
    y_test: Labels,
) -> Dataset:
    """Standardised here, in float64: years or amounts of money lose their digits in float32."""
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    std[std == 0] = 1
    columns = x_train.shape[1]
    place, _ = place_and_options(source, OPTIONS)
    return Dataset(
        name=source.name,
        family="table",
        label=Path(place).stem,
        class_names=tuple(str(name) for name in classes),
        x_train=((x_train - mean) / std).astype(np.float32)[:, :, None, None],
        y_train=y_train,
        x_test=((x_test - mean) / std).astype(np.float32)[:, :, None, None],
        y_test=y_test,
        mean=(0.0,) * columns,
        std=(1.0,) * columns,
        given_labels=None,
    )


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd  # here: other data sets do not wait for it

    if path.suffix not in KINDS:
        raise UserError(f"{path}: a table is a {', '.join(KINDS[:-1])} or {KINDS[-1]} file")
    if not path.is_file():
        raise UserError(f"no such file: {path} (table:FILE is a path, or FILE in the data folder)")
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",")
    except ImportError:
        raise UserError(f"{path}: needs pyarrow to be read: pip install pyarrow") from None
    except (OSError, ValueError) as error:  # pandas' and pyarrow's own are ValueErrors
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as a {path.suffix} table: {reason}") from None
    if frame.empty:
        raise UserError(f"{path}: the table has no rows")
    return frame


def _split(frame: pd.DataFrame, label: str, where: str) -> tuple[Numbers, list[object]]:
    """Numbers (N, D) and labels as they are."""
    if label not in frame:
        more = "; name the column of labels: label=COLUMN" if label == "label" else ""
        raise UserError(f"{unknown('column', label, map(str, frame.columns), where)}{more}")
    others = [name for name in frame.columns if name != label]
    if not others:
        raise UserError(f"{where}: no column beside {label!r}; there is nothing to learn from")
    for name in frame.columns:
        _check_missing(frame[name], where)
    for name in others:
        _check_numbers(frame[name], where)
    return frame[others].to_numpy(dtype=np.float64), frame[label].tolist()


def _check_missing(column: pd.Series, where: str) -> None:
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        values = "value is" if len(missing) == 1 else "values are"
        raise UserError(
            f"{where}: {len(missing):,} {values} missing in column {column.name!r}, the first in"
            f" row {missing[0] + 1}; fill them in or leave these rows out"
        )


def _check_numbers(column: pd.Series, where: str) -> None:
    """Numbers that are finite in float64; what is none is shown with its row."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        finite = np.isfinite(column.to_numpy(dtype=np.float64))
        if not finite.all():
            row = int(np.flatnonzero(~finite)[0])
            raise UserError(f"{where}: column {column.name!r} is infinite in row {row + 1}")
        return
    texts = np.flatnonzero(pd.to_numeric(column, errors="coerce").isna().to_numpy())
    row = int(texts[0]) if len(texts) else 0
    advice = (
        "correct it"
        if 0 < len(texts) < len(column) / 2
        else "code it as numbers (pandas.get_dummies) or leave the column out"
    )
    raise UserError(
        f"{where}: column {column.name!r} should hold numbers, but row {row + 1} is"
        f" {column.iloc[row]!r}; {advice}"
    )
