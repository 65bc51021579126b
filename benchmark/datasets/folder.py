"""Bring your own images: a folder per class below train/ and test/."""

from __future__ import annotations

from pathlib import Path

from nlbench.benchmark.datasets.file_lists import class_names, first_folder, image_names
from nlbench.benchmark.datasets.files import FileDataset, ImageFiles, locate
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register
from nlbench.benchmark.errors import UserError

_HINT = "put one folder per class with .jpg or .png images into train/ and into test/"


@register(
    DatasetInfo(
        name="folder",
        label="NAME",
        family="folder",
        num_classes=None,
        shape=(3, 224, 224),
        train=None,
        test=None,
        source="ROOT/NAME/train/CLASS/*.jpg and ROOT/NAME/test/CLASS/*.jpg (or .png); "
        "streamed, cut to the suite's size",
        argument="NAME",
    )
)
def load_folder(source: Source) -> FileDataset:
    """One's own images in folders named by class; classes in alphabetical order.

    Raises:
        UserError: no such folder, fewer than two classes, or classes of train/ and test/ differ.
    """
    place = Path(source.argument).expanduser()
    folder = place if place.is_absolute() else source.root / place
    first_folder(source.name, (folder,), ("train", "test"), _HINT)
    classes, tested = class_names(folder / "train"), class_names(folder / "test")
    if len(classes) < 2:
        raise UserError(f"data set {source.name!r}: {folder / 'train'} has no two class folders")
    if unknown := sorted(set(tested) - set(classes)):
        raise UserError(f"data set {source.name!r}: class {unknown[0]!r} of test/ is not in train/")
    return FileDataset(
        name=source.name,
        family="folder",
        label=folder.name,
        class_names=tuple(classes),
        train=_part(source, folder, "train", classes),
        test=_part(source, folder, "test", classes),
        given_labels=None,
    )


def _part(source: Source, folder: Path, part: str, classes: list[str]) -> ImageFiles:
    entries = [
        (f"{part}/{name}/{file}", number)
        for number, name in enumerate(classes)
        if (folder / part / name).is_dir()
        for file in image_names(folder / part / name)
    ]
    return locate(source.name, folder, entries, f"{part} images", _HINT)
