"""Labels that somebody else drew: any published label file, aligned with the data set."""

from __future__ import annotations

from nlbench.noise.errors import NoiseError
from nlbench.noise.files import Columns, as_labels, file_facts, find_file, pick, read_columns
from nlbench.noise.published import align, check_agreement, check_clean, check_range
from nlbench.noise.registry import Draw, Model, Option, register
from nlbench.noise.task import Labels, Task

# What published files call their columns, the commonest first.
NOISY = ("noisy", "label_noisy", "noisy_label", "noisy_labels")
CLEAN = ("clean", "label", "clean_label", "clean_labels", "true_label")


def draw(task: Task) -> Draw:
    """Return the file's labels after checking length, range, and order.

    The order is checked against the file's own clean labels if it has them; else the labels must
    agree with the clean ones more often than by chance. The seed changes nothing.
    """
    path = find_file(task.options["path"], task.folder)
    columns = read_columns(path)
    name = _noisy_name(path.name, columns, task.options.get("column"))
    base = int(task.options["base"])
    noisy = as_labels(path, name, pick(path, columns, name)) - base
    noisy = align(task, path.name, noisy)
    check_range(task, path.name, noisy)
    if task.options["check"] == "order":
        _check_order(task, path.name, columns, noisy, name)
    return Draw(noisy, details=file_facts(path))


def _noisy_name(file: str, columns: Columns, asked: str | None) -> str:
    if asked is not None:
        return asked
    if len(columns) == 1:
        return str(next(iter(columns)))
    for name in NOISY:
        if name in columns:
            return name
    raise NoiseError(f"{file}: name its column: column={' or '.join(map(str, columns))}")


def _check_order(task: Task, file: str, columns: Columns, noisy: Labels, noisy_name: str) -> None:
    path = find_file(task.options["path"], task.folder)
    for name in (task.options.get("clean"), *CLEAN):
        if name is None or name == noisy_name:
            continue
        if name in columns or name == task.options.get("clean"):
            clean = as_labels(path, name, pick(path, columns, name)) - int(task.options["base"])
            check_clean(task, file, align(task, file, clean))
            return
    check_agreement(task, file, noisy)


register(
    Model(
        name="file",
        draw=draw,
        argument="path",
        options=(
            Option("path", "csv, npy, npz, json or pt file, one label for each sample in order"),
            Option("column", "column or key of the noisy labels, where the file has several"),
            Option("clean", "column or key of the clean labels, to check the order by"),
            Option("base", "number of the first class", default="0", choices=("0", "1")),
            Option(
                "check",
                "order: refuse labels out of order; none: accept any",
                default="order",
                choices=("order", "none"),
            ),
        ),
        summary=(
            "A published label file, as it is: csv, npy, npz, json or pt (read without running any "
            "code in it). Length, range and order are verified, the file's SHA-256 is recorded. "
            "Every seed gives the same labels."
        ),
        source="the authors of the file",
        used_by="Chen et al. 2021 (csv), PLC (npy), DivideMix (json), BadLabels",
    )
)
