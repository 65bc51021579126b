"""Small trees of tiny JPEG files in the published layouts of the real-world data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

WORDNET = tuple(f"n{k:08d}" for k in range(50))


def picture(path: Path, label: int, number: int, size: tuple[int, int] = (44, 40)) -> None:
    """A JPEG whose colour tells its class, in its own words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.Generator(np.random.Philox(key=1000 * label + number))
    colour = np.array([37 * label % 256, 91 * label % 256, 151 * label % 256])
    noise = rng.integers(-30, 30, (size[1], size[0], 3))
    pixels = np.clip(colour + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=90)


def webvision(root: Path, per_class: int = 2, tested: int = 1) -> None:
    """mini-WebVision and ILSVRC-2012's validation images; lists go beyond the first 50 classes."""
    base = root / "webvision"
    (base / "info").mkdir(parents=True)
    train, test = [], []
    for label in range(50):
        train += [(f"google/q{label:04d}/i{number}.jpg", label) for number in range(per_class)]
        test += [(f"val{label:04d}{number}.jpg", label) for number in range(tested)]
        for number in range(tested):
            picture(root / f"imagenet/val/{WORDNET[label]}/I{number}.JPEG", label, 50 + number)
    for file, label in train:
        picture(base / file, label, int(file[-5]))
    for file, label in test:
        picture(base / "val_images_256" / file, label, 20)
    train += [("google/q0051/absent.jpg", 51), ("google/q0900/absent.jpg", 900)]
    _list(base / "info/train_filelist_google.txt", train)
    _list(base / "info/val_filelist.txt", [*test, ("absent.jpg", 77)])
    names = [f"{word} animal {k}, other name" for k, word in enumerate((*WORDNET, "n99999999"))]
    (base / "info/synsets.txt").write_text("\n".join(names) + "\n")


def clothing1m(root: Path, per_class: int = 3, tested: int = 1, merged: bool = False) -> None:
    """Clothing1M with key lists and label files, or with the merged annotations."""
    base = root / "clothing1m"
    parts = {"noisy_train": per_class, "clean_test": tested}
    for offset, (part, count) in enumerate(parts.items()):
        entries = [
            (f"images/{label % 10}/{label:02d}/{part},{number}.jpg", label)
            for number in range(count)
            for label in range(14)
        ]
        for file, label in entries:
            picture(base / file, label, 30 * offset + int(file[-5]))
        if merged:
            (base / "annotations").mkdir(exist_ok=True)
            _list(base / f"annotations/{part}.txt", entries)
            continue
        (base / f"{part}_key_list.txt").write_text("".join(f"{file}\n" for file, _ in entries))
        kind = part.split("_")[0]
        _list(base / f"{kind}_label_kv.txt", [*reversed(entries), ("images/9/99/unused.jpg", 3)])


def food101n(root: Path, classes: int = 5, per_class: int = 6, tested: int = 2) -> None:
    """Food-101N's list and images, Food-101's test list and images."""
    train, test = root / "Food-101N_release", root / "food-101"
    names = [f"dish_{k}" for k in range(classes)]
    listed = [f"{name}/{k:02d}.jpg" for name in reversed(names) for k in range(per_class)]
    for entry in listed:
        picture(train / "images" / entry, int(entry[5]), int(entry[7:9]))
    (train / "meta").mkdir()
    (train / "meta/imagelist.tsv").write_text("class_name/key\n" + "\n".join(listed) + "\n")
    keys = [f"{name}/{k}" for name in names for k in range(tested)]
    for key in keys:
        picture(test / "images" / f"{key}.jpg", int(key[5]), 40 + int(key[7:]))
    (test / "meta").mkdir()
    (test / "meta/test.txt").write_text("\n".join(keys) + "\n")


def animal10n(root: Path, per_class: int = 6, tested: int = 2) -> None:
    """Animal-10N's raw images: the label is the first number of the name."""
    for part, count in (("training", per_class), ("testing", tested)):
        for label in range(10):
            for number in range(count):
                name = f"{label}_{7 * number + label}.jpg"
                picture(root / "animal10n" / part / name, label, number, (64, 64))


def folder(root: Path, per_class: int = 4) -> None:
    """One's own images: a folder per class."""
    for part in ("train", "test"):
        for label, name in enumerate(("ant", "bee", "cow")):
            for number in range(per_class):
                kind = ".png" if number == 0 else ".jpg"
                picture(root / "mine" / part / name / f"{number}{kind}", label, number)


def _list(path: Path, entries: list[tuple[str, int]]) -> None:
    path.write_text("".join(f"{file} {label}\n" for file, label in entries))
