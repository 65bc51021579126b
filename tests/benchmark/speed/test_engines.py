"""The bench of the engines: counted operations, and a row for every way to train."""

from __future__ import annotations

import contextlib
import multiprocessing
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from nlbench.benchmark.machine import processor
from nlbench.benchmark.speed import engines as bench_engines
from nlbench.benchmark.speed import pipeline as bench
from nlbench.benchmark.speed.peak_flops import peak_flops, timed, training_flops
from nlbench.benchmark.speed.pipeline import Team
from nlbench.benchmark.speed.table import PRECISIONS, SLOWER, line
from nlbench.benchmark.suites import suite
from tests.helpers.runs import tiny


@pytest.mark.parametrize(("model", "gflop"), [("cnn8", 0.798), ("resnet18", 3.329)])
def test_counted_operations_are_those_counted_by_hand(model: str, gflop: float) -> None:
    """Three times the forward pass, less the first layer's gradient of the images."""
    assert training_flops(model) / 1e9 == pytest.approx(gflop, rel=0.005)


# (channels in, channels out, pixels a side) of 3x3 convolutions, then (in, out) of linear layers.
LAYERS = {
    "cnn8": (
        [(3, 64, 32), (64, 64, 32), (64, 128, 16), (128, 128, 16), (128, 196, 8), (196, 196, 8)],
        [(196 * 16, 256), (256, 10)],
    ),
    "cnn_small": ([(3, 16, 32), (16, 32, 16), (32, 48, 8)], [(48 * 16, 10)]),
}


@pytest.mark.parametrize("model", LAYERS)
def test_counted_operations_are_the_closed_form(model: str) -> None:
    """Forward, gradient of weights and of inputs: 2 x 3 per multiply-add, but for the images."""
    convolutions, linear = LAYERS[model]
    forward = [2 * 9 * i * o * side**2 for i, o, side in convolutions]
    forward += [2 * i * o for i, o in linear]
    assert training_flops(model) == 3 * sum(forward) - forward[0]


def test_the_rate_of_a_matrix_product_is_a_rate() -> None:
    """Ten of them in the time that it says, within what a busy machine does to a clock."""
    device = torch.device("cpu")
    size = 1024
    rate = peak_flops(device)
    left = torch.ones(size, size)
    into = torch.empty(size, size)

    def product() -> None:
        torch.mm(left, left, out=into)

    seconds = min(timed(product, device) for _ in range(5))
    assert rate > 0.2 * 2 * size**3 / seconds


def test_shares_of_the_floor_and_seconds_a_run() -> None:
    """Half the peak is 50 % of the floor; 6 million images at 300,000 a second are 20 s."""
    device = torch.device("cpu")
    row = line("cnn8", "loop", device, 300_000.0, 800_000_000, 480e12, 1.234)
    assert row["% of floor"] == 50.0
    assert row["TFLOP/s"] == 240.0
    assert (row["s/run"], row["runs/h"], row["peak GiB"]) == (20.0, 180.0, 1.23)


def test_an_engine_that_raises_has_a_row_and_the_others_their_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_tasks: object) -> None:
        raise RuntimeError("cannot be captured\nsecond line")

    def two(_device: torch.device) -> Iterator[bench_engines.Contestant]:
        yield bench_engines.Contestant("refused", refuse)  # type: ignore[arg-type]
        yield bench_engines.Contestant("loop", bench_engines._loop)

    monkeypatch.setattr(bench_engines, "STEPS", {"cpu": 1})
    monkeypatch.setattr(bench_engines, "ROUNDS", 1)
    monkeypatch.setattr(bench_engines, "contestants", two)
    broken, sound = bench_engines.run("cpu", tmp_path)
    assert broken["error"] == "RuntimeError: cannot be captured"
    assert sound["img/s"] > 0
    assert len(pd.read_csv(tmp_path / "engines.csv")) == 2


def test_rows_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_engines, "STEPS", {"cpu": 1})
    monkeypatch.setattr(bench_engines, "ROUNDS", 1)
    rows = bench_engines.run("cpu", tmp_path)
    assert [row["engine"] for row in rows] == [
        c.name for c in bench_engines.contestants(torch.device("cpu"))
    ]
    assert rows[0]["times plain"] == 1
    asked = [str(row["in suites"]).removesuffix(SLOWER) for row in rows]
    assert asked == ["None", "yes", "no, none for a CPU asks for bf16"]
    for row in rows[1:]:
        slower = row["img/s"] < rows[0]["img/s"]
        assert row["in suites"].endswith(SLOWER) == slower
    assert all(row["s/run"] * row["img/s"] == pytest.approx(6e6, rel=0.05) for row in rows)
    table = pd.read_csv(tmp_path / "engines.csv")
    assert list(table["engine"]) == [row["engine"] for row in rows]
    assert all(0 < row["% of floor"] < 200 for row in rows)
    assert {"hardware", "torch", "commit"} <= set(table.columns)
    assert (tmp_path / "engines.png").stat().st_size > 1000


def test_a_gpu_is_compared_with_one_to_eight_slots_compiled_or_not() -> None:
    names = [c.name for c in bench_engines.contestants(torch.device("cuda"))]
    for extra in ("", ", compiled"):
        assert {f"graph, {k} slot(s){extra}" for k in (1, 2, 4, 8)} <= set(names)


def test_the_pipeline_shows_float32_first_and_marks_what_no_suite_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The speeds are given: bf16 slower than the plain loop, as on a CPU without units for it."""
    monkeypatch.setattr(bench, "_plain", lambda *_args: 1700.0)
    monkeypatch.setattr(bench, "_kept", lambda *_args: 5000.0)
    given = {"float32": 4800.0, "bf16": 650.0}
    monkeypatch.setattr(bench, "_ours", lambda spec, *_args: given[spec.recipe.precision])
    monkeypatch.setattr(bench, "Team", _Team)
    rows = bench.run(None, "cpu")
    assert [row["images/s"] for row in rows] == [1700, 4800, 5000, 9000, 650]
    assert rows[1]["pipeline"] == "nlbench loop, float32"
    assert rows[-1]["pipeline"] == "nlbench loop, bf16"
    asked = [str(row["in suites"]) for row in rows]
    assert asked == ["None", "yes", "yes", "yes", f"no, none for a CPU asks for bf16{SLOWER}"]
    assert {row["device"] for row in rows} == {f"cpu: {processor.units()}"}


class _Team(contextlib.nullcontext[None]):
    def __init__(self, *_args: object) -> None:
        super().__init__()

    def measure(self) -> float:
        return 9000.0


def test_suites_for_a_cpu_ask_for_what_the_bench_says() -> None:
    """Nor are they tested after every epoch, which took half of the time of such a run."""
    every = {name: suite.load(name).specs for name in suite.names()}
    of_a_cpu = {n for n, runs in every.items() if {s.model for s in runs} <= {"mlp", "cnn_small"}}
    assert {"quick", "fashion", "osr-fashion", "extreme", "extreme-classes", "field"} <= of_a_cpu
    for kind, names in (("cpu", of_a_cpu), ("cuda", {*every} - of_a_cpu)):
        asked = {spec.recipe.precision for name in names for spec in every[name]}
        assert asked == set(PRECISIONS[kind])
    images = [s for name in of_a_cpu for s in every[name] if s.dataset.name != "digits"]
    assert 1 not in {spec.recipe.eval_every for spec in images}


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_suites_of_the_papers_say_what_each_precision_costs(name: str) -> None:
    words = " ".join(suite.load(name).description.split())
    assert re.search(r"\d+ (s|hours|minutes)\b.* in float32", words)
    assert re.search(r"\d+ s in tf32", words)
    assert re.search(r"\d+ s in bf16", words)


@pytest.mark.slow
def test_a_team_of_workers_trains_and_ends() -> None:
    """Two processes with a run each; they can be called again, and none is left behind."""
    before = len(multiprocessing.active_children())
    spec = tiny(model="cnn_small")
    with Team(spec, None, 2) as team:
        assert len(multiprocessing.active_children()) == before + 2
        assert [team.measure() > 0 for _ in range(2)] == [True, True]
    assert len(multiprocessing.active_children()) == before
