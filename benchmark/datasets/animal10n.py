"""Animal-10N: five pairs of animals that people confuse, photographs of 64 x 64 pixels."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from nlbench.benchmark.datasets.base import Dataset, channel_statistics
from nlbench.benchmark.datasets.file_lists import first_folder, image_names, shown, without_excluded
from nlbench.benchmark.datasets.files import ImageFiles, locate
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register
from nlbench.benchmark.errors import UserError

CLASS_NAMES = (
    "cat", "lynx", "wolf", "coyote", "cheetah",
    "jaguar", "chimpanzee", "orangutan", "hamster", "guinea pig",
)  # fmt: skip
SIZE = 64
_FOLDERS = ("animal10n", "animal-10n", "Animal10N", "Animal-10N", "ANIMAL-10N")
_HINT = (
    "Animal-10N is at https://dm.kaist.ac.kr/datasets/animal-10n (raw images: training, testing)"
)


@register(
    DatasetInfo(
        name="animal10n",
        label="Animal-10N",
        family="animal10n",
        num_classes=len(CLASS_NAMES),
        shape=(3, SIZE, SIZE),
        train=50_000,
        test=5_000,
        source="ROOT/animal10n/training/LABEL_ID.jpg and testing/; decoded into memory",
    )
)
def load_animal10n(source: Source) -> Dataset:
    """Animal-10N (Song et al. 2019), images sorted by name; labels are noisy, about 8 % wrong.

    The images fit into memory (0.7 GB), so they are decoded once, by threads. Normalised by the
    training images' own statistics, for no protocol states them.

    Raises:
        UserError: images are missing, of another size or name, or cannot be decoded.
    """
    places = [source.root / folder for folder in _FOLDERS]
    folder = first_folder(source.name, places, ("training", "testing"), _HINT)
    entries, excluded = without_excluded(source.name, folder, _entries(folder, "training"))
    train = locate(source.name, folder, entries, "training images", _HINT)
    test = locate(source.name, folder, _entries(folder, "testing"), "test images", _HINT)
    x_train, x_test = (_decoded(source.name, files) for files in (train, test))
    mean, std = channel_statistics(x_train)
    return Dataset(
        name=source.name,
        family="animal10n",
        label=f"Animal-10N{excluded}",
        class_names=CLASS_NAMES,
        x_train=x_train,
        y_train=np.array(train.labels),
        x_test=x_test,
        y_test=np.array(test.labels),
        mean=mean,
        std=std,
        given_labels=True,
    )


def _entries(folder: Path, part: str) -> list[tuple[str, int]]:
    """The images of a part, sorted by name, with the label that the name starts with."""
    found = []
    for file in image_names(folder / part):
        label = file.partition("_")[0]
        if not label.isdecimal() or int(label) >= len(CLASS_NAMES):
            raise UserError(
                f"{folder / part / file}: a name LABEL_ID.jpg with LABEL 0..9 is needed"
            )
        found.append((f"{part}/{file}", int(label)))
    return found


def _decoded(name: str, files: ImageFiles) -> npt.NDArray[np.uint8]:
    """All images (N, 3, 64, 64); Pillow releases the interpreter while it decodes."""
    images = np.empty((len(files), 3, SIZE, SIZE), dtype=np.uint8)

    def work(at: int) -> str:
        path = files.root / files.paths[at]
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            return f"{files.paths[at]} ({error})"
        if pixels.shape != (SIZE, SIZE, 3):
            return f"{files.paths[at]} (is {pixels.shape[1]}x{pixels.shape[0]}, not {SIZE}x{SIZE})"
        images[at] = pixels.transpose(2, 0, 1)
        return ""

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        broken = [words for words in pool.map(work, range(len(files))) if words]
    if broken:
        raise UserError(
            f"data set {name!r}: {len(broken):,} of {len(files):,} images below {files.root} cannot"
            f" be used: {shown(broken)}; get them again, or name them in exclude.txt there"
        )
    return images
