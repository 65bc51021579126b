"""What bf16 is worth here: the probe, its warning, and the names of the processor's units."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nlbench.benchmark.machine import processor
from nlbench.benchmark.speed import precision
from nlbench.benchmark.speed.precision import Speeds, bf16_elsewhere, fastest, probe, slow_bf16
from nlbench.cli import main
from tests.helpers.runs import tiny

CPU = torch.device("cpu")
SUITE = """
methods = ["ce"]
noise = ["clean"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
train_per_class = 20
[recipe]
epochs = 1
precision = "{}"
"""


def test_the_best_time_of_each_counts_and_the_first_does_not() -> None:
    times = {"a": iter([9.0, 3.0, 2.0, 4.0]), "b": iter([0.1, 5.0, 6.0, 5.5])}

    def named(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    order: list[str] = []

    def measure(once: Callable[[], None]) -> float:
        once()
        return next(times[order[-1]])

    assert fastest({"a": named("a"), "b": named("b")}, measure, 27.0) == {"a": 2.0, "b": 5.0}
    assert order == ["a", "b", "a", "b", "a", "b", "a"]


def test_a_slow_machine_times_each_step_once() -> None:
    calls = itertools.count()

    def measure(_once: Callable[[], None]) -> float:
        next(calls)
        return 60.0

    assert fastest({"a": lambda: None, "b": lambda: None}, measure, 1.0) == {"a": 60.0, "b": 60.0}
    assert next(calls) == 4


def test_the_probe_trains_and_leaves_torch_as_it_was() -> None:
    before = torch.get_num_threads(), torch.get_rng_state()
    found = probe(CPU, seconds=0.05)
    assert found.float32 > 0
    assert found.bf16 > 0
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize(
    ("bf16", "faster"),
    [(20.0, "float32"), (75.0, "float32"), (85.0, "either"), (120.0, "either"), (240.0, "bf16")],
)
def test_a_warning_only_where_bf16_is_clearly_slower(bf16: float, faster: str) -> None:
    found = Speeds(float32=100.0, bf16=bf16)
    assert found.faster == faster
    half = [tiny(precision="bf16"), tiny()]
    words = slow_bf16(half, CPU, 1, lambda _device, _threads: found)
    assert bool(words) == (faster == "float32")
    if words:
        assert f"{bf16 / 100:.2f} times as fast as float32" in words
        assert words.startswith("1 of 2 runs ask for bf16")


def test_nothing_is_measured_where_nobody_asks_or_on_a_gpu() -> None:
    def never(*_args: object) -> Speeds:
        raise AssertionError("measured")

    assert slow_bf16([tiny()], CPU, 1, never) == ""
    assert slow_bf16([tiny(precision="bf16")], torch.device("cuda"), 1, never) == ""


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize("asked", ["bf16", "float32"])
def test_run_warns_before_anything_is_trained(
    asked: str,
    dry: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(precision, "probe", lambda *_args: Speeds(float32=100.0, bf16=7.0))
    path = tmp_path / "mine.toml"
    path.write_text(SUITE.format(asked))
    words = ["run", str(path), "--results", str(tmp_path), "--device", "cpu", "--workers", "1"]
    assert main([*words, *(["--dry-run"] if dry else [])]) == 0
    said = capsys.readouterr().err
    assert ("warning: 2 of 2 runs ask for bf16" in said) == (asked == "bf16")
    if asked == "bf16" and not dry:
        assert said.index("0.07 times as fast") < said.index(
            "2 runs to train" if dry else "to train on"
        )


def test_doctor_says_what_is_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(precision, "probe", lambda *_args: Speeds(float32=100.0, bf16=7.0))
    main(["doctor", "--results", str(tmp_path)])
    said = capsys.readouterr().out
    assert "float32: bf16 is 0.07 times as fast" in said
    assert torch.backends.cpu.get_cpu_capability() in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 fma\n", "AVX2 (torch uses "),
        ("flags : avx512f amx_tile avx2 avx512_bf16\n", "AVX2, AVX512, AVX512_BF16, AMX (torch "),
        ("Features\t: fp asimd bf16\n", "NEON, BF16 (torch "),
        ("processor : 0\n", "torch uses "),
        (None, "torch uses "),
    ],
)
def test_units_are_those_that_the_system_lists(
    text: str | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    assert processor.units(path).startswith(words)


def test_of_the_workers_of_a_scheduler_nothing_is_measured() -> None:
    half = [tiny(), tiny(precision="bf16"), tiny(precision="bf16", seed=1)]
    words = bf16_elsewhere(half, CPU)
    assert words.startswith("2 of 3 runs ask for bf16")
    assert "`nlbench doctor` on one of them does" in words
    assert bf16_elsewhere([tiny()], CPU) == ""
    assert bf16_elsewhere(half, torch.device("cuda")) == ""
