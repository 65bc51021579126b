"""Suspicious labels: folds, confident learning, training out of fold, and what is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nlbench import baselines
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suspicious import out_of_fold as training
from nlbench.benchmark.suspicious import truth
from nlbench.benchmark.suspicious.folds import assign
from nlbench.benchmark.suspicious.judge import confident, judge
from nlbench.benchmark.suspicious.out_of_fold import Setting, out_of_fold
from nlbench.benchmark.suspicious.samples import Samples, read
from tests.helpers import image_trees as trees

NAMES = ("ant", "bee", "cow")


def generator(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def blobs(wrong: int = 6, size: int = 60) -> Samples:
    """Three well-separated classes of points, the first ``wrong`` labels of them wrong."""
    labels = np.arange(size, dtype=np.int64) % 3
    points = generator(1).normal(size=(size, 4)) + 6 * np.eye(3, 4)[labels]
    given = labels.copy()
    given[:wrong] = (given[:wrong] + 1) % 3
    return Samples(
        name="blobs",
        images=points.astype(np.float32)[:, :, None, None],
        given=given,
        class_names=NAMES,
        mean=tuple(points.mean(axis=0)),
        std=tuple(points.std(axis=0)),
        truth=labels,
    )


@pytest.mark.parametrize("folds", [2, 3, 5, 7])
def test_every_class_is_spread_evenly_over_the_folds(folds: int) -> None:
    labels = np.array([0] * 23 + [1] * 2 + [2] * 40)
    found = assign(labels, NAMES, folds, seed=3)
    assert np.ptp(np.bincount(found, minlength=folds)) <= 1
    for label in range(3):
        assert np.ptp(np.bincount(found[labels == label], minlength=folds)) <= 1
    assert np.array_equal(found, assign(labels, NAMES, folds, seed=3))
    assert not np.array_equal(found, assign(labels, NAMES, folds, seed=4))


@pytest.mark.parametrize(
    ("counts", "folds", "says"),
    [
        ((5, 5, 1), 3, "class 'cow' has 1 samples: at least 2"),
        ((5, 5, 5), 1, "folds = 1 should be from 2 to the number of samples, 15"),
        ((2, 2, 2), 7, "folds = 7 should be"),
    ],
)
def test_data_that_cannot_be_folded_is_refused(
    counts: tuple[int, ...], folds: int, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        assign(np.repeat(np.arange(3), counts), NAMES, folds, 0)


def by_the_book(probabilities: np.ndarray, given: np.ndarray) -> list[int]:
    """Equations 1 and 2 of the paper, one sample after the other."""
    classes = range(probabilities.shape[1])
    thresholds = [
        np.mean([p[k] for p, g in zip(probabilities, given, strict=True) if g == k])
        for k in classes
    ]
    found = []
    for row, label in zip(probabilities, given, strict=True):
        passed = [k for k in classes if row[k] >= thresholds[k]]
        found.append(max(passed, key=lambda k: row[k]) if passed else int(label))
    return found


@pytest.mark.parametrize("key", range(5))
def test_confident_counts_follow_the_definition(key: int) -> None:
    probabilities = generator(key).dirichlet([0.7] * 4, size=80)
    given = generator(100 + key).integers(0, 4, 80)
    assert confident(probabilities, given).tolist() == by_the_book(probabilities, given)


def test_a_class_that_nobody_was_given_counts_nobody() -> None:
    probabilities = np.array([[0.2, 0.1, 0.7], [0.1, 0.3, 0.6]])
    assert 2 not in confident(probabilities, np.array([0, 1]))


def test_the_verdict_on_probabilities_by_hand() -> None:
    given = np.array([0, 0, 1, 1])
    one = np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    other = np.array([[0.7, 0.3], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])
    found = judge([one, other], given)
    assert found.score.round(9).tolist() == [0.2, 0.65, 0.3, 0.2]
    assert found.guess.tolist() == [0, 1, 1, 1]
    assert found.flagged.tolist() == [False, False, False, False]
    assert found.agree.tolist() == [0, 1, 0, 0]
    assert found.order.tolist() == [1, 2, 0, 3]


def test_wrong_labels_are_found_by_networks_that_did_not_see_them() -> None:
    samples = blobs()
    assert samples.truth is not None
    seen = out_of_fold(
        samples, {"ce": baselines.create("ce", {})}, Setting(epochs=15, device="cpu")
    )
    found = judge(list(seen.values()), samples.given)
    assert set(found.order[:6].tolist()) == set(range(6))
    assert found.flagged[:6].all()
    (measured,) = truth.measure(seen, samples.given, samples.truth)[:1]
    assert measured.auroc == 1
    assert measured.recall == 1
    assert seen["ce"].shape == (60, 3)
    assert np.allclose(seen["ce"].sum(axis=1), 1)


def test_a_sample_is_not_judged_by_its_own_label() -> None:
    """Another label of one sample changes nothing of what its own fold's network says of it."""
    one, other = blobs(0), blobs(0)
    fold = assign(one.given, NAMES, 5, 0)
    # A swap within one fold and of two labels: the folds' class counts stay, and so do the folds.
    first, second = np.flatnonzero(fold == 0)[:2]
    assert one.given[first] != one.given[second]
    other.given[[first, second]] = other.given[[second, first]]
    setting = Setting(device="cpu", epochs=1)
    plans = [training._Plan(samples, setting.settled(samples)) for samples in (one, other)]
    plans[1].folds = plans[0].folds
    method = baselines.create("gce", {})
    assert np.array_equal(plans[0].judged(method, 0), plans[1].judged(method, 0))
    assert not np.array_equal(plans[0].judged(method, 1), plans[1].judged(method, 1))


@pytest.mark.parametrize("name", ["drainage", "dividemix", "elr"])
def test_methods_of_every_kind_can_judge(name: str) -> None:
    samples = read("digits", train_per_class=6)
    setting = Setting(device="cpu", epochs=2, folds=2, model="mlp")
    seen = out_of_fold(samples, {name: baselines.create(name, {})}, setting)
    assert np.isfinite(seen[name]).all()


def test_finished_folds_are_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods, setting = {"ce": baselines.create("ce", {})}, Setting(device="cpu", epochs=1)
    first = out_of_fold(blobs(), methods, setting, tmp_path)
    files = sorted(tmp_path.rglob("fold-*.npy"))
    assert len(files) == 5
    files[2].write_bytes(b"damaged")
    said: list[str] = []
    again = out_of_fold(blobs(), methods, setting, tmp_path, said.append)
    assert [line.split(":")[0].rsplit("/", 1)[-1] for line in said] == [
        "fold-2.npy is damaged", "ce",
    ]  # fmt: skip
    assert np.array_equal(first["ce"], again["ce"])
    monkeypatch.setattr(training, "train", None)
    assert np.array_equal(first["ce"], out_of_fold(blobs(), methods, setting, tmp_path)["ce"])
    with pytest.raises(TypeError):  # other labels are other folds
        out_of_fold(blobs(5), methods, setting, tmp_path)


def test_what_cannot_judge_is_refused() -> None:
    for name, says in (
        ("forward", "needs the transition, which is not known"),
        ("cdr", "noise rate"),
    ):
        with pytest.raises(ValueError, match=says):
            out_of_fold(blobs(), {name: baselines.create(name, {})}, Setting(device="cpu"))
    with pytest.raises(UserError, match=r"diverged in fold 1, epoch .* below 1e"):
        out_of_fold(blobs(), {"ce": baselines.create("ce", {})}, Setting(device="cpu", lr=1e30))


def test_no_last_batch_of_one() -> None:
    assert training._batch_size(np.array([64, 65])) == 33
    assert training._batch_size(np.array([64, 64])) == 32


def test_a_folder_of_classes_is_read_with_or_without_train(tmp_path: Path) -> None:
    trees.folder(tmp_path)
    whole = read(str(tmp_path / "mine"))
    inner = read(str(tmp_path / "mine" / "train"), size=16)
    assert whole.images.shape == (12, 3, 40, 40)
    assert inner.images.shape == (12, 3, 16, 16)
    assert whole.class_names == NAMES
    assert whole.files is not None
    assert whole.files[0] == "ant/0.png"
    assert whole.given.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    colours = whole.images.reshape(3, 4, 3, -1).mean(axis=(1, 3))
    assert np.abs(colours - [[5, 5, 5], [37, 91, 151], [74, 182, 46]]).max() < 9


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "0 class folders, at least 2 are needed; put a folder"),
        ({"ant/1.png": "image"}, "1 class folders"),
        ({"ant/a.txt": "", "bee/a.txt": ""}, "no image in any of its 2 folders; put a folder"),
        ({"ant/1.png": "image", "bee/.keep": ""}, "class 1 .bee. has no training image"),
        (
            {"ant/1.png": "image", "bee/1.png": "text"},
            "1 of 2 files cannot be decoded: .*bee/1.png",
        ),
    ],
)
def test_folders_that_are_no_classes_of_images(
    tmp_path: Path, files: dict[str, str], says: str
) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if content == "image":
            trees.picture(path, 0, 0)
        else:
            path.write_text(content)
    with pytest.raises(UserError, match=says):
        read(str(tmp_path))


def test_noise_that_is_drawn_is_the_truth() -> None:
    samples = read("digits", "symmetric:0.4", train_per_class=20, seed=3)
    assert samples.truth is not None
    assert (samples.truth != samples.given).sum() == 80
    assert np.array_equal(samples.truth, read("digits", train_per_class=20).given)
    with pytest.raises(UserError, match="replaces images"):
        read("digits", "openset:0.4:from=digits:pool=99")
    with pytest.raises(UserError, match="size = 16 is for images in files"):
        read("digits", size=16)


def test_cleanlab_agrees_where_it_is_installed() -> None:
    pytest.importorskip("cleanlab")
    probabilities = torch.softmax(torch.tensor(generator(7).normal(size=(200, 4))), 1).numpy()
    given = generator(8).integers(0, 4, 200)
    scores, _ = truth._cleanlab(probabilities, given) or (None, None)
    assert scores is not None
    assert np.allclose(scores, judge([probabilities], given).score)
