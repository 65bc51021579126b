"""How many runs side by side: the choice against a simulated card, its memory and its clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.runs.run import train, train_pack
from nlbench.benchmark.training import GraphBackend, LoopBackend
from nlbench.benchmark.training import cuda_graph as graph_module
from nlbench.benchmark.training import slot_probe as probe_module
from nlbench.benchmark.training.cuda_graph_slot import GraphRunner
from nlbench.benchmark.training.slot_probe import GAIN, MOST, Probe, choose, pace, probe, speed_key
from tests.helpers.runs import HERE, tiny


@dataclass
class Card:
    """Launching a step takes ``launch``; its work takes ``work`` of a card that has ``width``.

    Work of different slots overlaps until the card is full; that of one slot does not.
    """

    launch: float
    work: float
    width: int
    memory: int = MOST
    now: float = 0.0
    busy: float = 0.0
    slots: list[Slot] = field(default_factory=list)

    def build(self) -> Slot:
        if len(self.slots) >= self.memory:
            raise RuntimeError("recording failed") from torch.OutOfMemoryError("no memory")
        self.slots.append(Slot(self))
        return self.slots[-1]

    def rate(self, count: int) -> float:
        """Steps a second of so many slots, once the card has settled."""
        return 1 / max(self.launch, self.work / min(count, self.width))


@dataclass
class Slot:
    card: Card
    steps: int = 7

    def step(self, number: int) -> None:
        assert 0 <= number < self.steps
        card = self.card
        card.now += card.launch
        card.busy = max(card.now, card.busy + card.work / min(len(card.slots), card.width))

    def wait(self) -> None:
        self.card.now = max(self.card.now, self.card.busy)


times = st.floats(1e-5, 1e-2)


@given(launch=times, work=times, width=st.integers(1, 16), count=st.sampled_from([1, 2, 4, 8]))
def test_the_pace_is_that_of_the_card(launch: float, work: float, width: int, count: int) -> None:
    card = Card(launch, work, width)
    slots = [card.build() for _ in range(count)]
    assert pace(slots, lambda: card.now) == pytest.approx(card.rate(count), rel=0.05)


@given(
    launch=times,
    work=times,
    width=st.integers(1, 16),
    memory=st.integers(1, 10),
    refuses=st.booleans(),
)
def test_what_is_chosen_is_fast_and_fits(
    launch: float, work: float, width: int, memory: int, refuses: bool
) -> None:
    """Memory ends the search, be it foreseen or an error; no tried number is much faster."""
    card = Card(launch, work, width, memory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe_module, "release", lambda: None)  # collects garbage, slowly
        found, kept = probe(
            card.build, lambda: refuses or len(card.slots) < memory, lambda: card.now
        )
    assert found.slots == len(kept) <= min(memory, MOST)
    tried = sorted(found.rates)
    assert tried == [1, 2, 4, 8][: len(tried)]
    assert max(found.rates.values()) < found.rates[found.slots] * GAIN * 1.0001
    best = max(card.rate(k) for k in (1, 2, 4, 8) if k <= memory)
    assert card.rate(found.slots) * 1.15 >= best or card.rate(2) / card.rate(1) < GAIN


def test_no_more_than_twice_what_pays_is_tried() -> None:
    card = Card(launch=1e-5, work=1e-3, width=2)
    found, _ = probe(card.build, lambda: True, lambda: card.now)
    assert found.slots == 2
    assert sorted(found.rates) == [1, 2, 4]


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [({1: 100.0}, 1), ({1: 100.0, 2: 102.0}, 1), ({1: 100.0, 2: 150.0, 4: 153.0}, 2)],
)
def test_the_smaller_of_nearly_equal_numbers_is_chosen(
    rates: dict[int, float], chosen: int
) -> None:
    assert choose(rates) == chosen


def test_an_error_that_is_not_memory_is_raised() -> None:
    def build() -> Slot:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        probe(build, lambda: True, lambda: 0.0)


def test_lack_of_memory_for_the_first_slot_is_raised() -> None:
    card = Card(1e-3, 1e-3, 1, memory=0)
    with pytest.raises(RuntimeError, match="recording"):
        probe(card.build, lambda: True, lambda: 0.0)


# --- in the graph backend -------------------------------------------------------------------------

SPECS = [tiny(name, model="cnn_small", seed=seed) for name in ("ce", "drainage") for seed in (0, 1)]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes of a few steps: here it is not their figures that are looked at."""
    monkeypatch.setattr(probe_module, "ROUNDS", 2)
    monkeypatch.setattr(probe_module, "REPEATS", 1)


@pytest.mark.usefixtures("short")
def test_probed_slots_leave_the_bits_of_the_loop_and_are_recorded() -> None:
    backend = GraphBackend(capture=False)
    expected = {s.run_id: train(s, HERE).science() for s in SPECS}
    found = list(train_pack(SPECS, HERE, backend))
    assert {r.run_id: r.science() for r in found} == expected
    for record in found:
        assert record.environment["slots"] == backend.slots
        assert set(record.environment["probe"]) <= {"1", "2", "4", "8"}
        assert record.environment["probe"]["1"] > 0
        assert type(record).from_json(record.to_json()) == record
    assert "probe" not in train(SPECS[0], HERE).environment


@pytest.mark.usefixtures("short")
def test_one_probe_serves_all_runs_of_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another head or method is no other kind; another network or precision is."""
    calls: list[int] = []
    original = probe

    def counted(*args: object, **words: object) -> tuple[Probe, list[object]]:
        calls.append(1)
        return original(*args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(graph_module, "probe", counted)
    backend = GraphBackend(capture=False)
    for _ in range(2):
        assert len(list(train_pack(SPECS, HERE, backend))) == len(SPECS)
    assert len(calls) == 1
    for other in (tiny(model="mlp"), tiny(model="cnn_small", precision="bf16"), SPECS[0]):
        assert train(other, HERE, backend).status == "ok"
    assert len(calls) == 3


def test_asked_for_slots_are_not_probed() -> None:
    backend = GraphBackend(3, capture=False)
    assert "probe" not in train(SPECS[0], HERE, backend).environment
    assert backend.slots == 3


def test_memory_that_ran_out_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most two slots ever fit, which is found out once; every run ends well all the same."""
    alive: list[int] = []
    failures: list[int] = []
    original = GraphRunner.load

    def load(slot: GraphRunner, task: object) -> None:
        if id(slot) not in alive and len(alive) >= 2:
            failures.append(1)
            raise torch.OutOfMemoryError("no memory")
        if id(slot) not in alive:
            alive.append(id(slot))
        original(slot, task)  # type: ignore[arg-type]

    monkeypatch.setattr(GraphRunner, "load", load)
    backend = GraphBackend(4, capture=False)
    specs = [replace(SPECS[0], seed=seed) for seed in range(4)]
    for _ in range(2):
        found = list(train_pack(specs, HERE, backend))
        assert [r.status for r in found] == ["ok"] * 4
    assert len(failures) == 1
    assert backend.slots == 1


def test_kinds_differ_in_what_decides_the_speed() -> None:
    def kind(**changes: object) -> tuple[object, ...]:
        return speed_key(prepare(tiny(**changes), HERE)[0])  # type: ignore[arg-type]

    base = kind()
    assert kind(seed=3, lr=0.5, weight_decay=0.1, noise="clean") == base
    assert kind(method="drainage") == base
    for change in ({"l1": 1e-3}, {"batch_size": 16}, {"augment": "crop_flip"}, {"model": "cnn4"}):
        assert kind(**change) != base


def test_a_backend_that_measures_nothing_says_nothing() -> None:
    assert dict(LoopBackend().facts) == {}
    assert dict(GraphBackend(capture=False).facts) == {}


@pytest.mark.gpu
def test_the_probe_chooses_on_a_gpu() -> None:
    here = replace(HERE, device="cuda:0")
    specs = [replace(s, recipe=replace(s.recipe, precision="bf16")) for s in SPECS]
    alone = {s.run_id: train(s, here, GraphBackend(1)).science() for s in specs}
    backend = GraphBackend()
    found = list(train_pack(specs, here, backend))
    assert [r.error for r in found] == [None] * len(specs)
    assert {r.run_id: r.science() for r in found} == alone
    assert found[0].environment["probe"]["1"] > 0
