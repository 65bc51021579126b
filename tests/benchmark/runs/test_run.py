"""Training: pairing, the reference loop against plain PyTorch, curves, divergence, failure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from nlbench import baselines
from nlbench.benchmark import models
from nlbench.benchmark.datasets import load
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.machine.device import full_precision, repeatable
from nlbench.benchmark.pipeline.batches import BatchPlan, draw_split
from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.describe import select
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.run_spec import DatasetSpec, RunSpec
from nlbench.benchmark.store.record import CURVES, RunRecord
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training import LoopBackend
from nlbench.benchmark.training.epoch_stats import ranked
from nlbench.benchmark.training.optimizer import learning_rate
from nlbench.benchmark.training.trainer import Trainer
from tests.helpers.runs import HERE, tiny

CELLS = [
    tiny(noise=noise, model=model, dataset=DatasetSpec("digits", 20, holdout))
    for noise, model, holdout in (
        ("symmetric:0.4", "mlp", 0.0),
        ("instance:0.4", "mlp", 0.25),
        ("asymmetric:0.4", "cnn_small", 0.0),
    )
]


def with_method(spec: RunSpec, name: str) -> RunSpec:
    return replace(spec, method=tiny(name).method)


def needs_held_out(spec: RunSpec) -> bool:
    method = baselines.create(spec.method.name, spec.method.values)
    chosen = any("best" in (stage.start, stage.look) for stage in method.stages(1000))
    return chosen or "noisy_val" in method.asks()


@pytest.mark.parametrize("cell", CELLS, ids=lambda s: f"{s.noise}-{s.model}")
def test_every_method_sees_the_same_labels_weights_and_batches(cell: RunSpec) -> None:
    specs = [with_method(cell, name) for name in baselines.names()]
    # Some methods choose an epoch by held-out samples and are refused without any.
    refused = (
        {s.method.name for s in specs if needs_held_out(s)} if not cell.dataset.holdout else set()
    )
    records = [train(spec, HERE) for spec in specs]
    assert {r.spec.method.name for r in records if r.status != "ok"} == refused
    records = [r for r in records if r.status == "ok"]
    assert set(records[0].pairing) == {"data", "labels", "split", "init", "order", "augment"}
    assert all(r.pairing == records[0].pairing for r in records)
    other = train(replace(cell, seed=1), HERE)
    differ = {key for key in other.pairing if other.pairing[key] != records[0].pairing[key]}
    # With no holdout every image is trained on, and with no augmentation there is none to draw.
    assert differ == {"labels", "init", "order"} | ({"split"} if cell.dataset.holdout else set())


def test_the_drainage_head_shifts_no_weight() -> None:
    """Bit for bit: all shared weights, and the first K rows of the head."""
    ce, drainage = (prepare(with_method(CELLS[2], m), HERE)[0].network for m in ("ce", "drainage"))
    one, other = ce.state_dict(), drainage.state_dict()
    assert one.keys() == other.keys()
    assert other["head.weight"].shape[0] == one["head.weight"].shape[0] + 1
    for name, value in one.items():
        assert torch.equal(value, other[name][: len(value)] if value.ndim else other[name]), name


def test_the_first_batch_loss_differs_between_methods_only_by_the_loss() -> None:
    task_ce, _ = prepare(with_method(CELLS[0], "ce"), HERE)
    task_d, _ = prepare(with_method(CELLS[0], "drainage"), HERE)
    images = torch.rand(5, 1, 8, 8)
    with torch.no_grad():
        ce, drainage = (t.network.eval()(images) for t in (task_ce, task_d))
    torch.testing.assert_close(drainage[:, :10], ce)


def plain_reference(spec: RunSpec) -> tuple[dict[str, torch.Tensor], list[float]]:
    """The same training written out once more with PyTorch's own parts only, in float64."""
    data = load("digits").subset(spec.dataset.train_per_class)
    labels = draw_labels(spec.noise, spec.dataset, spec.seed, None)
    split = draw_split(spec, len(data.y_train))
    method = baselines.create(spec.method.name, spec.method.values)
    network = models.build(spec.model, data.in_shape, method.num_outputs(10))
    models.initialise(network, lambda n: Streams(spec.seed).generator("init", n), 10)
    network = network.double()
    mean, std = (
        torch.tensor(v, dtype=torch.float64).view(1, -1, 1, 1) for v in (data.mean, data.std)
    )
    images = (torch.tensor(data.x_train).double() / 255 - mean) / std
    given = torch.tensor(labels.noisy)
    recipe = spec.recipe
    sgd = torch.optim.SGD(
        network.parameters(),
        lr=recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        foreach=False,
    )
    losses = []
    for epoch in range(recipe.epochs):
        sgd.param_groups[0]["lr"] = learning_rate(recipe, epoch)
        order = split.train[
            Streams(spec.seed).generator("order", epoch).permutation(len(split.train))
        ]
        total = 0.0
        for at in torch.split(torch.tensor(order), recipe.batch_size):
            values = method.loss(network(images[at]), given[at])
            penalty = sum(p.abs().sum() for p in network.parameters())
            sgd.zero_grad()
            torch.autograd.backward(values.mean() + recipe.l1 * penalty)
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
            sgd.step()
            total += values.sum().item()
        losses.append(total / len(order))
    return network.state_dict(), losses


@pytest.mark.parametrize("name", ["ce", "gce", "drainage"])
@pytest.mark.parametrize("model", ["mlp", "cnn_small"])
def test_the_loop_is_plain_pytorch_in_float64(name: str, model: str) -> None:
    spec = tiny(name, model=model, precision="float64", l1=1e-3, weight_decay=1e-2, clip_norm=0.7)
    task, _ = prepare(spec, HERE)
    outcome = LoopBackend().train(task)
    expected, losses = plain_reference(spec)
    for key, value in task.network.state_dict().items():
        torch.testing.assert_close(value, expected[key], rtol=1e-10, atol=1e-12)
    assert outcome.curves["train_loss"] == pytest.approx(losses, rel=1e-10)


def test_augmented_training_uses_the_planned_augmentations() -> None:
    spec = tiny(augment="crop_flip", precision="float64")
    one, other = (train(s, HERE) for s in (spec, tiny(precision="float64")))
    assert one.pairing["order"] == other.pairing["order"]
    assert one.pairing["augment"] != other.pairing["augment"]
    assert one.curves["train_loss"] != other.curves["train_loss"]


def test_bf16_trains_and_its_loss_is_float32() -> None:
    task, _ = prepare(tiny(model="cnn_small", precision="bf16"), HERE)
    trainer = Trainer(task)
    logits = trainer.forward(torch.rand(4, 1, 8, 8))
    assert logits.dtype == torch.bfloat16
    assert task.method.loss(logits, torch.zeros(4, dtype=torch.int64)).dtype == torch.float32
    assert all(p.dtype == torch.float32 for p in task.network.parameters())
    assert train(tiny(model="cnn_small", precision="bf16"), HERE).status == "ok"


def test_tf32_is_refused_where_it_would_be_float32_under_another_name() -> None:
    spec = tiny(precision="tf32")
    with pytest.raises(UserError, match=r"tf32.*CUDA GPU.*float32: write that"):
        plan.check([tiny(), spec], None, torch.device("cpu"))
    record = train(spec, HERE)
    assert record.status == "failed"
    assert "tf32" in (record.error or {})["message"]


def test_tf32_is_allowed_only_within_its_pack_and_never_for_the_last_questions() -> None:
    def allowed() -> tuple[bool, bool]:
        return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32

    before = allowed()
    with repeatable(1):
        assert allowed() == (False, False)
    with repeatable(1, tf32=True):
        assert allowed() == (True, True)
        with full_precision():
            assert allowed() == (False, False)
        assert allowed() == (True, True)
    assert allowed() == before


@pytest.mark.gpu
def test_tf32_trains_on_a_gpu_close_to_float32() -> None:
    one, other = (
        train(tiny(model="cnn_small", precision=p), replace(HERE, device="cuda"))
        for p in ("float32", "tf32")
    )
    assert one.status == other.status == "ok"
    assert one.curves["train_loss"] != other.curves["train_loss"]
    assert one.curves["train_loss"] == pytest.approx(other.curves["train_loss"], rel=0.02)


def test_a_record_has_all_curves_and_they_mean_what_they_say() -> None:
    record = train(tiny("drainage", dataset=DatasetSpec("digits", 20, 0.25), epochs=12), HERE)
    assert set(record.curves) == set(CURVES)
    assert {len(curve) for curve in record.curves.values()} == {12}
    assert record.metrics["last"] == record.curves["test_accuracy"][-1]
    assert record.metrics["last"] == record.correct().mean()
    assert record.test_size == 797
    given, true = record.curves["flipped_fit_given"], record.curves["flipped_fit_true"]
    assert all(g + t <= 1 for g, t in zip(given, true, strict=True))  # type: ignore[operator]
    assert record.noise["realised"] == pytest.approx(0.4)


def test_curves_without_their_group_are_null_or_empty() -> None:
    record = train(tiny(noise="clean"), HERE)
    assert record.curves["flipped_fit_given"] == (None, None)
    assert record.curves["drainage_clean"] == ()
    assert record.curves["val_noisy"] == ()
    assert record.metrics["noisy_val"] is None


def test_a_tally_counts_as_a_naive_loop_does() -> None:
    from nlbench.benchmark.training.epoch_stats import EpochStats, Seen

    spec = tiny("drainage")
    labels = draw_labels(spec.noise, spec.dataset, spec.seed, None)
    rng = np.random.default_rng(0)
    positions = rng.permutation(200)
    logits = torch.tensor(rng.normal(size=(200, 11)), dtype=torch.float32)
    method = baselines.create("drainage", {})
    stats = EpochStats.empty(200, torch.device("cpu"), method)
    for start in (0, 64, 128, 192):
        at = slice(start, start + 64)
        given = torch.tensor(labels.noisy[positions[at]])
        stats.note(at, method, Seen(logits[at], method.loss(logits[at], given)))
    curves = stats.curves(labels, positions)
    groups: dict[str, list[float]] = {key: [] for key in curves}
    for row, i in zip(logits.double().numpy(), positions, strict=True):
        guess, mass = int(row[:10].argmax()), float(np.exp(row[10]) / np.exp(row).sum())
        if labels.noisy[i] == labels.clean[i]:
            groups["clean_fit"].append(guess == labels.noisy[i])
            groups["drainage_clean"].append(mass)
        else:
            groups["flipped_fit_given"].append(guess == labels.noisy[i])
            groups["flipped_fit_true"].append(guess == labels.clean[i])
            groups["drainage_flipped"].append(mass)
    losses = method.loss(logits, torch.tensor(labels.noisy[positions])).numpy()
    flipped = labels.flipped[positions]
    masses = method.extra_output_probability(logits)
    assert masses is not None
    areas = {"detect_loss": losses, "detect_drainage": masses.numpy()}
    for key, values in groups.items():
        if key in areas:
            assert curves[key] == pytest.approx(roc_auc_score(flipped, areas[key])), key
        elif key != "train_loss":
            assert curves[key] == pytest.approx(np.mean(values), rel=1e-6), key
    assert stats.curves(labels, positions, rank=False)["detect_loss"] is None


@pytest.mark.parametrize(("epochs", "most"), [(1, 1), (7, 7), (20, 20), (120, 22), (201, 22)])
def test_areas_are_computed_in_about_twenty_epochs_the_first_and_last_included(
    epochs: int, most: int
) -> None:
    chosen = [e for e in range(1, epochs + 1) if ranked(e, epochs)]
    assert {1, epochs} <= set(chosen)
    assert min(epochs, 20) <= len(chosen) <= most


def test_selection_takes_the_first_best_epoch_of_each_rule() -> None:
    chosen = select(
        {
            "test_accuracy": [0.5, 0.9, 0.7, 0.6],
            "val_noisy": [0.3, 0.2, 0.4, 0.4],
            "val_clean": [0.9, 0.8, 0.7, 0.9],
        }
    )
    assert chosen == {
        "last": 0.6,
        "noisy_val": 0.7,
        "noisy_val_epoch": 3,
        "clean_val": 0.5,
        "clean_val_epoch": 1,
        "oracle": 0.9,
        "oracle_epoch": 2,
    }


def test_rules_choose_among_the_epochs_that_were_evaluated() -> None:
    chosen = select(
        {
            "test_accuracy": [None, 0.5, None, 0.9, 0.7],
            "val_noisy": [None, 0.0, None, 0.0, 0.0],
            "val_clean": [None, None, None, None, None],
        }
    )
    assert chosen == {
        "last": 0.7,
        "noisy_val": 0.5,
        "noisy_val_epoch": 2,
        "clean_val": None,
        "clean_val_epoch": None,
        "oracle": 0.9,
        "oracle_epoch": 4,
    }


def test_a_record_says_at_which_epochs_accuracies_were_taken() -> None:
    record = train(tiny(dataset=DatasetSpec("digits", 20, 0.25), epochs=5, eval_every=2), HERE)
    for name in ("test_accuracy", "val_noisy", "val_clean"):
        assert [v is not None for v in record.curves[name]] == [False, True, False, True, True]
    assert None not in record.curves["train_loss"]
    assert record.metrics["last"] == record.curves["test_accuracy"][-1] == record.correct().mean()
    assert record.metrics["oracle_epoch"] in (2, 4, 5)
    assert RunRecord.from_json(record.to_json()) == record


def test_a_run_that_turns_non_finite_is_recorded_with_its_epoch() -> None:
    record = train(tiny(lr=1e30, clip_norm=0.0, epochs=5), HERE)
    assert record.status == "diverged"
    assert record.error is not None
    epoch = record.error["epoch"]
    assert 1 <= epoch <= 5
    assert len(record.curves["test_accuracy"]) == epoch - 1
    assert record.metrics == {}
    assert record.pairing == train(tiny(epochs=5), HERE).pairing


def test_a_run_that_raises_is_recorded_with_its_traceback() -> None:
    record = train(tiny(batch_size=199), HERE)  # a last batch of one
    assert record.status == "failed"
    assert record.error is not None
    assert "Traceback" in record.error["traceback"]
    assert record.noise == {}


def test_training_leaves_torch_as_it_was() -> None:
    torch.set_num_threads(2)
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_rng_state(),
    )
    train(tiny(), HERE)
    after = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_rng_state(),
    )
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])


def test_the_plan_is_hashed_as_used_and_to_its_end() -> None:
    spec = tiny(epochs=3)
    plans = [BatchPlan(spec, np.arange(50), (8, 8)) for _ in range(2)]
    used = list(plans[0].epochs())
    assert len(used) == 3
    assert all(sorted(epoch.positions) == list(range(50)) for epoch in used)
    assert plans[0].fingerprints() == plans[1].fingerprints()


def test_a_split_holds_out_the_share_asked_for() -> None:
    split = draw_split(tiny(dataset=DatasetSpec("digits", 20, 0.25)), 200)
    assert len(split.validation) == 50
    assert sorted([*split.train, *split.validation]) == list(range(200))
