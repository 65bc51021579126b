"""Images decoded while a network trains: the same pixels whoever decodes, nothing lost silently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nlbench.benchmark.datasets import FileDataset
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline import augment, augment_kinds, streaming
from nlbench.benchmark.pipeline.augment_files import FILE_KINDS, Geometry, augmented
from nlbench.benchmark.pipeline.select import described
from nlbench.benchmark.pipeline.streaming import Streamed
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.benchmark.streams import Streams
from tests.helpers import image_trees as trees

KIND = "resized_crop_flip_jitter"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    trees.clothing1m(folder, per_class=4)
    return folder


def dataset(root: Path) -> FileDataset:
    found = described(DatasetSpec("clothing1m", size=24), root)
    assert isinstance(found, FileDataset)
    return found


def epoch(data: Streamed, size: int) -> torch.Tensor:
    """All batches of one epoch in the order of the plan, joined."""
    count = len(data.dataset.train)
    order = torch.from_numpy(Streams(5).generator("order", 0).permutation(count))
    plan = augment.draw(KIND, count, (24, 24), Streams(5).generator("augment", 0))
    batches, at = [], 0
    for where, images in data.training_batches(order, plan, size):
        assert where.start == at
        at = where.stop
        batches.append(images)
    assert at == count
    return torch.cat(batches)


def test_pixels_do_not_depend_on_threads_or_chunks(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(root)
    here = epoch(Streamed(data, CPU, 0), 25)
    assert here.shape == (56, 3, 24, 24)
    assert here.is_contiguous(memory_format=torch.channels_last)
    before = torch.get_rng_state()
    monkeypatch.setattr(streaming, "CHUNK", 7)
    source = Streamed(data, CPU, 2)
    assert torch.equal(epoch(source, 25), here)
    assert torch.equal(epoch(source, 56), here)  # another batch size
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_are_the_files_of_the_plan(root: Path) -> None:
    data = dataset(root)
    found = epoch(Streamed(data, CPU, 0), 20)
    order = Streams(5).generator("order", 0).permutation(56)
    numbers = Streams(5).generator("augment", 0).random((56, FILE_KINDS[KIND].columns))
    to = Geometry(size=24, squash=True, fill=(0, 0, 0))
    for row in (0, 19, 20, 55):
        with Image.open(data.train.root / data.train.paths[order[row]]) as image:
            wanted = augmented(image.convert("RGB"), FILE_KINDS[KIND], numbers[row], to)
        assert np.array_equal(found[row].permute(1, 2, 0).numpy(), wanted)


def test_evaluation_sees_the_plain_images_of_the_rows_asked_for(root: Path) -> None:
    data = dataset(root)
    source = Streamed(data, CPU, 0)
    rows = torch.tensor([30, 2, 2])
    (part,) = source.x_train.batches(rows)
    (whole,) = source.x_train.batches(None)
    assert torch.equal(part, whole[rows])
    assert len(source.x_test) == 14
    assert torch.equal(source.y_test, torch.arange(14))


@pytest.mark.parametrize("loaders", [0, 1])
def test_broken_files_are_all_named_at_the_end_of_the_pass(
    loaders: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLBENCH_CACHE", str(tmp_path / "cache"))
    trees.clothing1m(tmp_path)
    data = dataset(tmp_path)
    paths = [data.train.root / data.train.paths[k] for k in (3, 20, 21, 40)]
    paths[0].write_bytes(b"")
    paths[1].write_bytes(paths[1].read_bytes()[:300])
    paths[2].write_bytes(b"<html>404</html>")
    paths[3].unlink()
    source = Streamed(data, CPU, loaders)
    with pytest.raises(UserError) as caught:
        epoch(source, 10)
    words = str(caught.value)
    assert "4 of 42 train images cannot be decoded" in words
    assert "and 1 more" in words
    assert "\n" not in words
    (listed,) = (tmp_path / "cache").glob("unreadable-*-train.txt")
    named = [line.split("\t")[0] for line in listed.read_text().splitlines()]
    assert named == sorted(map(str, paths))
    for batch in source.x_test.batches(None):  # the source is still of use
        assert len(batch) == 14


def test_a_pass_that_is_given_up_leaves_nothing_behind(root: Path) -> None:
    source = Streamed(dataset(root), CPU, 1)
    for images in source.plain_batches("train", None):
        assert len(images)
        break
    (again,) = source.x_test.batches(None)
    (wanted,) = Streamed(dataset(root), CPU, 0).x_test.batches(None)
    assert torch.equal(again, wanted)


def test_progress_is_said_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("nlbench.benchmark.pipeline.streaming.time.monotonic", lambda: now[0])
    meter = streaming.Meter("clothing1m, train", 1_000_000)
    for second, done in ((10, 5_000), (40, 20_000), (50, 25_000), (80, 50_000)):
        now[0] = second
        meter.show(done)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "clothing1m, train: 20,000 of 1,000,000 images, 500 a second, 1960 s left of this pass",
        "clothing1m, train: 50,000 of 1,000,000 images, 625 a second, 1520 s left of this pass",
    ]


def test_augmentations_are_for_files_or_for_memory() -> None:
    augment_kinds.check_fits("none", True, "x")
    augment_kinds.check_fits("none", False, "x")
    augment_kinds.check_fits(KIND, True, "x")
    with pytest.raises(UserError, match=r"'crop_flip' is not for data set 'x', .* read from files"):
        augment_kinds.check_fits("crop_flip", True, "x")
    with pytest.raises(UserError, match=f"'{KIND}' is not for data set 'x', .* in memory"):
        augment_kinds.check_fits(KIND, False, "x")


def test_plans_of_file_kinds_are_hashed_and_cut() -> None:
    plan = augment.draw("random_crop_flip", 6, (24, 24), Streams(1).generator("augment", 0))
    again = augment.draw("random_crop_flip", 6, (24, 24), Streams(1).generator("augment", 0))
    other = augment.draw("random_crop_flip", 6, (24, 24), Streams(1).generator("augment", 1))
    assert plan.fingerprint() == again.fingerprint() != other.fingerprint()
    assert plan.numbers is not None
    part = plan[torch.tensor([4, 1])].numbers
    assert part is not None
    assert torch.equal(part, plan.numbers[[4, 1]])
