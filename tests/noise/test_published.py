from __future__ import annotations

import hashlib
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlbench import noise
from nlbench.noise import NoiseError, NoisyLabels
from nlbench.noise.safe_pickle import read_pt

CLEAN = np.arange(1000) % 10
NOISY = noise.make("symmetric:0.3", CLEAN, num_classes=10, seed=0).noisy


def read(folder: Path, spec: str, labels: np.ndarray = CLEAN, **more: object) -> NoisyLabels:
    return noise.make(
        spec,
        labels,
        num_classes=10,
        seed=0,
        folder=folder,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("suffix", [".npy", ".json", ".csv", ".npz"])
def test_exported_files_are_read_back(suffix: str, tmp_path: Path) -> None:
    made = noise.make("symmetric:0.3", CLEAN, num_classes=10, seed=0)
    path = tmp_path / f"labels{suffix}"
    if suffix == ".npz":
        made.save(path)
    else:
        assert noise.export(made, path) == path
    back = read(tmp_path, f"file:{path.name}")
    assert back.fingerprint == made.fingerprint
    assert back.details["file_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(back.spec) == f"file:{path.name}"
    assert back.nominal_rate == back.realised_rate == 0.3
    noise.verify(back, folder=tmp_path)


def test_export_formats(tmp_path: Path) -> None:
    made = noise.make("openset:0.5:from=x:pool=9", [0, 1, 0, 1], num_classes=2, seed=0)
    lines = noise.export(made, tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "label,label_noisy,source"
    assert len(lines) == 5
    assert json.loads(noise.export(made, tmp_path / "a.json").read_text()) == [0, 1, 0, 1]
    assert (
        np.load(tmp_path / "a.npy" if False else noise.export(made, tmp_path / "a.npy")).dtype
        == np.int64
    )
    with pytest.raises(NoiseError, match=r"exported to \.npy, \.json or \.csv"):
        noise.export(made, tmp_path / "a.txt")
    with pytest.raises(NoiseError, match="cannot be written"):
        noise.export(made, tmp_path / "no" / "a.npy")


def test_columns_are_found_or_named(tmp_path: Path) -> None:
    pairs = zip(CLEAN, NOISY, strict=True)
    rows = "\n".join(f"{a},{b},img{i}.png" for i, (a, b) in enumerate(pairs))
    (tmp_path / "a.csv").write_text("label,label_noisy,name\n" + rows)
    assert np.array_equal(read(tmp_path, "file:a.csv").noisy, NOISY)
    (tmp_path / "b.csv").write_text("truth,given,name\n" + rows)
    with pytest.raises(NoiseError, match="name its column: column=truth or given or name"):
        read(tmp_path, "file:b.csv")
    assert np.array_equal(read(tmp_path, "file:b.csv:column=given:clean=truth").noisy, NOISY)
    with pytest.raises(NoiseError, match="no column 'givn'; did you mean 'given'"):
        read(tmp_path, "file:b.csv:column=givn")
    with pytest.raises(NoiseError, match="something that is not a number"):
        read(tmp_path, "file:b.csv:column=name")


def test_tables_of_integers_are_read_as_any_other(tmp_path: Path) -> None:
    pairs = [f"{a},{b}" for a, b in zip(CLEAN, NOISY, strict=True)]
    spaced = [f" {a} ,{b}.0" for a, b in zip(CLEAN, NOISY, strict=True)]
    texts = {
        "plain": ["label,label_noisy", *pairs],
        "windows": ["\ufefflabel,label_noisy\r", *(f"{pair}\r" for pair in pairs), ""],
        "floats": ["label,label_noisy", *spaced],
        "blank": ["label,label_noisy", "", *pairs, ""],
        "quoted": ['"label","label_noisy"', *(f'"{p}"'.replace(",", '","') for p in pairs)],
    }
    for name, lines in texts.items():
        (tmp_path / f"{name}.csv").write_bytes("\n".join(lines).encode())
        assert np.array_equal(read(tmp_path, f"file:{name}.csv").noisy, NOISY), name
    (tmp_path / "bare.csv").write_text("\n".join(pairs))
    assert np.array_equal(read(tmp_path, "file:bare.csv:column=1:clean=0").noisy, NOISY)
    (tmp_path / "one.csv").write_text("\n".join(str(label) for label in NOISY))
    assert np.array_equal(read(tmp_path, "file:one.csv").noisy, NOISY)
    (tmp_path / "ragged.csv").write_text("\n".join(["label,label_noisy", *pairs, "1"]))
    with pytest.raises(NoiseError, match="row 1002 has 1 cells, the first has 2"):
        read(tmp_path, "file:ragged.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(NoiseError, match="is empty"):
        read(tmp_path, "file:empty.csv")


def save(folder: Path, name: str, values: object) -> None:
    (folder / name).write_text(json.dumps(np.asarray(values).tolist()))


@pytest.mark.parametrize(
    ("values", "spec", "message"),
    [
        (NOISY[:-1], "file:a.json", "999 labels, the data set has 1000"),
        (NOISY + 1, "file:a.json", r"labels 1\.\.10, the classes are 0\.\.9; they count from one"),
        (np.where(NOISY == 3, 12, NOISY), "file:a.json", r"labels 0\.\.12"),
        (np.sort(NOISY), "file:a.json", "probably another order of samples; check=none"),
        (np.roll(NOISY, 3), "file:a.json", "probably another order"),
        (NOISY + 0.5, "file:a.json", "not whole"),
        ([[1, 2], [3, 4]], "file:a.json", "expected a flat list"),
    ],
)
def test_files_that_do_not_fit(values: object, spec: str, message: str, tmp_path: Path) -> None:
    save(tmp_path, "a.json", values)
    with pytest.raises(NoiseError, match=message) as caught:
        read(tmp_path, spec)
    assert "\n" not in str(caught.value)


def test_base_one_and_no_check(tmp_path: Path) -> None:
    save(tmp_path, "a.json", NOISY + 1)
    assert np.array_equal(read(tmp_path, "file:a.json:base=1").noisy, NOISY)
    save(tmp_path, "b.json", np.sort(NOISY))
    assert read(tmp_path, "file:b.json:check=none").realised_rate > 0.8


def test_own_clean_labels_of_a_file_are_compared(tmp_path: Path) -> None:
    shifted = np.roll(CLEAN, 1)
    (tmp_path / "a.json").write_text(
        json.dumps({"clean": shifted.tolist(), "noisy": np.roll(NOISY, 1).tolist()})
    )
    with pytest.raises(NoiseError, match=r"clean labels disagree .* another order"):
        read(tmp_path, "file:a.json")


def test_a_part_of_the_data_is_aligned_by_its_positions(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", NOISY)
    index = np.random.default_rng(0).permutation(1000)[:200]
    made = read(tmp_path, "file:a.npy", CLEAN[index], index=index)
    assert np.array_equal(made.noisy, NOISY[index])
    noise.verify(made, labels=CLEAN[index], folder=tmp_path, index=index)
    with pytest.raises(NoiseError, match="a part of it needs the positions"):
        read(tmp_path, "file:a.npy", CLEAN[index])
    with pytest.raises(NoiseError, match="a sample has position 2000"):
        read(tmp_path, "file:a.npy", CLEAN[:200], index=np.r_[index[1:], 2000])
    with pytest.raises(NoiseError, match="must be distinct"):
        read(tmp_path, "file:a.npy", CLEAN[:200], index=np.zeros(200, int))
    with pytest.raises(NoiseError, match="for 200 labels"):
        read(tmp_path, "file:a.npy", CLEAN[:200], index=index[:-1])


def test_published_chen_labels_have_their_known_rates(data_file: Callable[[str], Path]) -> None:
    human = read_pt(data_file("cifar-n/CIFAR-10_human.pt"))
    for rate in (0.2, 0.4):
        path = data_file(f"published-noise/cifar10-idn-chen2021-{rate}.csv")
        made = read(path.parent, f"file:{path.name}", human["clean_label"])
        assert made.realised_rate == rate
    # unequal per class: 0.24 to 0.66 at 0.4; the commonest wrong label takes about 0.47
    assert 0.2 < made.per_class_rate.min() < 0.3
    assert 0.6 < made.per_class_rate.max() < 0.7
    share = np.mean([row["commonest_share"] for row in noise.audit(made)["classes"]])
    assert 0.44 < share < 0.50


@pytest.mark.parametrize(
    ("name", "percent"),
    [("aggre", 9.01), ("worse", 40.208), ("random1", 17.234), ("random2", 18.122),
     ("random3", 17.64)],
)  # fmt: skip
def test_human_labels_of_cifar10(
    name: str, percent: float, data_file: Callable[[str], Path]
) -> None:
    path = data_file("cifar-n/CIFAR-10_human.pt")
    assert hashlib.md5(path.read_bytes()).hexdigest() == "96644db5574813cae939af5f7f2a0aec"
    clean = read_pt(path)["clean_label"]
    made = read(path.parents[1], f"human:{name}", clean)
    assert round(100 * made.realised_rate, 3) == percent
    assert str(made.spec) == f"human:{name}"
    part = np.flatnonzero(np.arange(50_000) % 7 == 0)
    small = read(path.parent, f"human:{name}", clean[part], index=part)
    assert np.array_equal(small.noisy, made.noisy[part])
    with pytest.raises(NoiseError, match="another order"):
        read(path.parent, f"human:{name}", clean[::-1])


@pytest.mark.parametrize(("name", "k", "percent"), [("fine", 100, 40.2), ("coarse", 20, 26.404)])
def test_human_labels_of_cifar100(
    name: str, k: int, percent: float, data_file: Callable[[str], Path]
) -> None:
    path = data_file("cifar-n/CIFAR-100_human.pt")
    columns = read_pt(path)
    clean = np.asarray(columns["clean_label" if name == "fine" else "clean_coarse_label"])
    made = noise.make(f"human:{name}", clean, num_classes=k, seed=0, folder=path.parent)
    assert round(100 * made.realised_rate, 3) == percent


@pytest.mark.parametrize(
    ("spec", "folder", "message"),
    [
        ("human:worst", True, "did you mean 'worse'"),
        ("human", True, "needs a set, as in 'human:aggre'"),
        ("human:fine", True, "is for 100 classes, the labels have 10"),
        ("human:worse", True, "no CIFAR-10_human.pt in"),
        ("human:worse", False, "name the folder"),
        ("human:0.4", True, "is not a choice"),
    ],
)
def test_human_labels_that_cannot_be_had(
    spec: str, folder: bool, message: str, tmp_path: Path
) -> None:
    with pytest.raises(NoiseError, match=message):
        noise.make(spec, CLEAN, num_classes=10, seed=0, folder=tmp_path if folder else None)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit",)


def test_pt_files_with_foreign_code_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"noisy": Evil()}, protocol=2))
    with pytest.raises(NoiseError, match=r"refused: it names \w+\.exec"):
        read(tmp_path, "file:a.pt")


def test_npy_files_with_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([Evil()], dtype=object))
    with pytest.raises(NoiseError, match="cannot be read"):
        read(tmp_path, "file:a.npy")
