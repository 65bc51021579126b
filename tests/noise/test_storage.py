from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlbench import noise
from nlbench.noise import NoiseError, NoiseSpec, NoisyLabels


def sample(spec: str = "symmetric:0.4") -> NoisyLabels:
    images = np.arange(500 * 6).reshape(500, 6) % 256
    return noise.make(
        spec, np.arange(500) % 10, num_classes=10, seed=1, features=images.astype(np.uint8),
        dataset="fashion_mnist",
    )  # fmt: skip


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Change arrays or header of a saved file and give the header a digest that fits again."""
    with np.load(path) as file:
        arrays = {name: file[name].copy() for name in file.files}
    header = json.loads(arrays["header"].tobytes())
    change(arrays, header)
    header.pop("digest")
    text = json.dumps(header, sort_keys=True, separators=(",", ":"))
    header["digest"] = hashlib.sha256(text.encode()).hexdigest()
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize("spec", ["clean", "symmetric:0.4", "asymmetric:0.2", "instance:0.3"])
def test_round_trip(spec: str, tmp_path: Path) -> None:
    made = sample(spec)
    path = made.save(tmp_path / "labels.any-name")
    assert path == tmp_path / "labels.any-name"
    assert list(tmp_path.iterdir()) == [path]
    back = NoisyLabels.load(path)
    assert back.describe() == made.describe()
    assert np.array_equal(back.noisy, made.noisy)
    assert np.array_equal(back.clean, made.clean)
    assert back.spec == made.spec
    assert back.fingerprint == made.fingerprint
    noise.verify(back, labels=np.arange(500) % 10, features=(np.arange(3000) % 256)
                 .reshape(500, 6).astype(np.uint8))  # fmt: skip


def test_open_set_fields_survive(tmp_path: Path) -> None:
    base = sample()
    source = np.where(np.arange(500) % 5 == 0, np.arange(500), -1)
    made = replace(base, replaced=source >= 0, source=source)
    back = NoisyLabels.load(made.save(tmp_path / "a.npz"))
    assert back.source is not None
    assert np.array_equal(back.source, source)
    assert made.fingerprint != base.fingerprint
    assert made.realised_rate > base.realised_rate


def test_same_labels_are_the_same_bytes(tmp_path: Path) -> None:
    one, two = (sample().save(tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_the_file_holds_no_pickle(tmp_path: Path) -> None:
    with np.load(sample().save(tmp_path / "a"), allow_pickle=False) as file:
        assert sorted(file.files) == ["clean", "header", "noisy"]
        assert all(file[name].dtype != object for name in file.files)


def flip_one(arrays: dict[str, Any], _header: dict[str, Any]) -> None:
    arrays["noisy"][0] = (arrays["noisy"][0] + 1) % 10


def reorder(arrays: dict[str, Any], _header: dict[str, Any]) -> None:
    for name in ("noisy", "clean"):
        arrays[name] = arrays[name][::-1]


def setter(name: str, value: object) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(_arrays: dict[str, Any], header: dict[str, Any]) -> None:
        header[name] = value

    return change


def drop_label(arrays: dict[str, Any], _header: dict[str, Any]) -> None:
    arrays["noisy"] = arrays["noisy"][1:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_one, "in the header disagrees with the labels"),
        (reorder, "fingerprint in the header disagrees"),
        (drop_label, "499 noisy labels for 500 clean ones"),
        (setter("realised", 0.41), "realised in the header disagrees"),
        (setter("fingerprint", "0" * 64), "fingerprint in the header disagrees"),
        (setter("per_class", [0.4] * 9 + [0.3]), "per_class in the header disagrees"),
        (setter("nominal", 0.2), "nominal in the header disagrees"),
        (setter("spec", "symetric:0.4"), "unknown noise model"),
        (setter("seed", -1), "seed -1"),
        (setter("num_classes", 5), "outside the 5 classes"),
        (setter("schema", 99), "schema 99, this version reads 1"),
        (setter("format", "other"), "is not a file of noisy labels"),
    ],
)
def test_tampering_is_found(
    change: Callable[[dict[str, Any], dict[str, Any]], None], message: str, tmp_path: Path
) -> None:
    path = sample().save(tmp_path / "a.npz")
    rewrite(path, change)
    with pytest.raises(NoiseError, match=message) as caught:
        NoisyLabels.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_changed_header_is_found_by_its_digest(tmp_path: Path) -> None:
    path = sample().save(tmp_path / "a.npz")
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    text = arrays["header"].tobytes().replace(b'"seed": 1', b'"seed": 2')
    assert text != arrays["header"].tobytes()
    arrays["header"] = np.frombuffer(text, dtype=np.uint8)
    with path.open("wb") as out:
        np.savez(out, **arrays)
    with pytest.raises(NoiseError, match="its own digest"):
        NoisyLabels.load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04rubbish", None])
def test_foreign_files_are_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    if content is None:
        np.savez(path, clean=np.arange(3))
    else:
        path.write_bytes(content)
    with pytest.raises(NoiseError, match="is not a file of noisy labels"):
        NoisyLabels.load(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = sample().save(tmp_path / "a.npz")
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(NoiseError):
            NoisyLabels.load(path)


def test_missing_and_unwritable_paths(tmp_path: Path) -> None:
    with pytest.raises(NoiseError, match="no such file"):
        NoisyLabels.load(tmp_path / "none.npz")
    with pytest.raises(NoiseError, match="cannot be written"):
        sample().save(tmp_path / "no" / "folder.npz")


def test_verify_draws_again_and_says_what_differs() -> None:
    made = sample()
    noise.verify(made)
    with pytest.raises(NoiseError, match="noisy labels and those drawn again disagree at"):
        noise.verify(replace(made, seed=2))
    with pytest.raises(NoiseError, match="disagree at"):
        noise.verify(replace(made, spec=NoiseSpec.parse("symmetric:0.3")))
    with pytest.raises(NoiseError, match="clean labels and the data set's disagree at 500 of 500"):
        noise.verify(made, labels=(np.arange(500) + 1) % 10)
    with pytest.raises(NoiseError, match="made from 500 labels, the data set has 10"):
        noise.verify(made, labels=np.arange(10))


def test_artefact_is_frozen_and_copies_its_arrays() -> None:
    clean, noisy = np.array([0, 1, 2, 0]), np.array([0, 2, 2, 1])
    made = NoisyLabels(noisy, clean, 3, NoiseSpec("symmetric", 0.5), 0)
    noisy[0] = 2
    assert made.noisy[0] == 0
    for array in (made.noisy, made.clean, made.flipped):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    assert made.flipped.tolist() == [False, True, False, True]
    assert made.per_class_rate.tolist() == [0.5, 1.0, 0.0]
    assert made.transition_counts.tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert made.realised_rate == 0.5


def test_fingerprint_is_the_documented_hash() -> None:
    made = NoisyLabels(np.array([1, 1]), np.array([0, 1]), 2, NoiseSpec("pair", 0.4), 7)
    numbers = b"".join(int(v).to_bytes(8, "little") for v in (2, 2, 0, 1, 1, 1))
    assert made.fingerprint == hashlib.sha256(b"nlbench-labels-1\0" + numbers).hexdigest()


def test_descriptions_are_plain_json() -> None:
    text = json.dumps(sample("asymmetric:0.4").describe(), allow_nan=False)
    assert json.loads(text)["details"] == {"map": "fashion_mnist/gce"}


def test_labels_of_another_generator_are_read_but_not_drawn_again(tmp_path: Path) -> None:
    old = replace(sample(), generator=0)
    back = NoisyLabels.load(old.save(tmp_path / "a.npz"))
    assert back.generator == 0
    with pytest.raises(NoiseError, match="drawn by generator 0, this version has 1"):
        noise.verify(back)


def test_verify_notices_a_changed_source_file(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text("[1, 0]")
    made = noise.make(
        "asymmetric:0.4:map=map.json", [0, 1] * 50, num_classes=2, seed=0, folder=tmp_path
    )
    noise.verify(made, folder=tmp_path)
    path.write_text("[1,  0]")
    with pytest.raises(NoiseError, match="same labels, but file_sha256 was"):
        noise.verify(made, folder=tmp_path)
