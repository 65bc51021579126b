"""The toy: what is drawn is what the networks say, and all methods get the same."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import integrate, optimize, stats
from scipy.special import expit, log_softmax, logit, logsumexp
from torch import nn

from nlbench import baselines, noise
from nlbench.benchmark.models import Classifier
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.toy import measure as toy_measure
from nlbench.benchmark.toy import train as toy
from nlbench.benchmark.toy.data import GEOMETRIES, Gaussian, Ring
from nlbench.benchmark.toy.methods import methods_of
from nlbench.benchmark.toy.train import Drawn, Setting, Trained
from nlbench.cli import main
from nlbench.noise import NoiseSpec, NoisyLabels

SMALL = Setting(seeds=(0, 3), epochs=4, per_class=30)
CE, DRAINAGE = baselines.create("ce"), baselines.create("drainage", {"alpha": 0.1})
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    return [toy.draw(SMALL, seed) for seed in SMALL.seeds]


@pytest.fixture(scope="module")
def trained(drawn: list[Drawn]) -> Trained:
    return toy.train(DRAINAGE, SMALL, drawn)


# --- data -----------------------------------------------------------------------------------------


def test_densities_are_those_of_scipy_and_integrate_to_one() -> None:
    axis = np.linspace(-6, 6, 801)
    square = np.stack(np.meshgrid(axis, axis), axis=-1)
    cell = (axis[1] - axis[0]) ** 2
    gaussian = Gaussian((0.5, -1.0), 0.7)
    reference = stats.multivariate_normal([0.5, -1.0], 0.49 * np.eye(2)).logpdf(square)
    np.testing.assert_allclose(gaussian.log_density(square), reference, atol=1e-10)
    assert np.exp(gaussian.log_density(square)).sum() * cell == pytest.approx(1, abs=1e-6)
    for ring in (Ring(2.7, 0.3), Ring(0.5, 0.5)):
        shell = partial(_shell, ring)
        assert integrate.quad(shell, 1e-9, 6)[0] == pytest.approx(1, abs=1e-6)


def _shell(ring: Ring, r: float) -> float:
    """Density over the circle of radius r."""
    return float(2 * np.pi * r * np.exp(ring.log_density(np.array([0.6 * r, -0.8 * r]))))


@pytest.mark.parametrize("component", [Gaussian((1.0, 2.0), 0.5), Ring(2.0, 0.4), Ring(0.3, 0.5)])
def test_draws_follow_their_density(component: Gaussian | Ring) -> None:
    points = component.draw(noise.generator("test-toy"), 20_000)
    inside = (np.abs(points - [1.0, 1.0]) < 0.8).all(axis=1)
    axis = np.linspace(0.2, 1.8, 401)
    square = np.stack(np.meshgrid(axis, axis), axis=-1)
    expected = np.exp(component.log_density(square)).mean() * 1.6**2
    assert inside.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 20_000) + 1e-3)


@pytest.mark.parametrize("name", sorted(GEOMETRIES))
def test_no_rule_beats_bayes_and_it_is_near_its_expectation(name: str) -> None:
    geometry = GEOMETRIES[name]
    points, labels = geometry.draw(noise.generator("test-bayes"), 2000)
    hits = (geometry.bayes(points) == labels).mean()
    axis = np.linspace(-7, 7, 701)
    square = np.stack(np.meshgrid(axis, axis), axis=-1)
    densities = np.exp([each.log_density(square) for each in geometry.classes])
    expected = densities.max(axis=0).sum() * (axis[1] - axis[0]) ** 2 / len(geometry.classes)
    assert hits == pytest.approx(expected, abs=0.015)


def test_asymmetric_takes_the_toys_own_flips(drawn: list[Drawn]) -> None:
    for each in drawn:
        expected = [[18, 12, 0, 0], [12, 18, 0, 0], [0, 0, 18, 12], [0, 0, 0, 30]]
        assert each.labels.transition_counts.tolist() == expected
    assert toy.noise_line("asymmetric:0.4:map=block5") == NoiseSpec.parse(
        "asymmetric:0.4:map=block5"
    )
    mixed = toy.noise_line("asymmetric:0.2+symmetric:0.1")
    assert str(mixed) == "asymmetric:0.2:map=toy_flips.json+symmetric:0.1"


def test_a_user_s_own_flip_map_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.json").write_text('{"3": 0}')
    labels = toy.draw(Setting(noise="asymmetric:0.3:map=mine.json", epochs=1), 0).labels
    assert labels.transition_counts[3].tolist() == [45, 0, 0, 105]
    assert labels.flipped.sum() == 45


# --- training -------------------------------------------------------------------------------------


def test_all_methods_start_from_the_same(drawn: list[Drawn], trained: Trained) -> None:
    other = toy.train(CE, SMALL, drawn)
    assert other.init == trained.init
    assert len(set(trained.init)) == len(SMALL.seeds)
    assert toy_measure.provenance(other, drawn) == toy_measure.provenance(trained, drawn)
    for mine, theirs in zip(other.weights[0], trained.weights[0], strict=True):
        torch.testing.assert_close(theirs[..., : mine.shape[-1]], mine, rtol=0, atol=0)
    again = [toy.draw(SMALL, seed) for seed in SMALL.seeds]
    assert [d.fingerprints for d in again] == [d.fingerprints for d in drawn]
    assert drawn[0].fingerprints != drawn[1].fingerprints


@pytest.mark.parametrize("method", [CE, DRAINAGE], ids=lambda m: m.name)
def test_the_stack_trains_as_a_plain_loop_does(
    method: baselines.Method, drawn: list[Drawn]
) -> None:
    stacked = toy.train(method, SMALL, drawn)
    for at, (seed, each) in enumerate(zip(SMALL.seeds, drawn, strict=True)):
        model = _plain_loop(method, seed, each)
        for plain, stack in zip(model.parameters(), stacked.weights[-1], strict=True):
            own = stack[at].T if plain.ndim == 2 else stack[at, 0]
            torch.testing.assert_close(own, plain.detach(), rtol=1e-3, atol=1e-5)


def _plain_loop(method: baselines.Method, seed: int, each: Drawn) -> Classifier:
    """One network, torch's own optimiser and schedule, as one would write it down."""
    model = toy.network(SMALL, method.num_outputs(4), seed)
    points, given = torch.tensor(each.points).float(), torch.tensor(each.labels.noisy)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, SMALL.epochs)
    for epoch in range(SMALL.epochs):
        order = Streams(seed).generator("order", epoch).permutation(len(points))
        for batch in torch.split(torch.tensor(order), 128):
            sgd.zero_grad()
            method.loss(model(points[batch]), given[batch]).mean().backward()  # type: ignore[no-untyped-call]
            sgd.step()
        schedule.step()
    return model


@given(st.integers(1, 100_000))
def test_recorded_epochs_run_from_first_to_last(epochs: int) -> None:
    at = toy.recorded(epochs)
    assert at[0] == 0
    assert at[-1] == epochs
    assert list(at) == sorted(set(at))
    assert len(at) <= toy.FRAMES


# --- what is drawn and measured -------------------------------------------------------------------


def _numpy_outputs(trained: Trained, frame: int, seed_at: int, points: Floats) -> Floats:
    weights = [w[seed_at].double().numpy() for w in trained.weights[frame]]
    hidden = np.maximum(points @ weights[0] + weights[1], 0)
    hidden = np.maximum(hidden @ weights[2] + weights[3], 0)
    result: Floats = hidden @ weights[4] + weights[5]
    return result


@pytest.mark.parametrize("frame", [0, -1])
@pytest.mark.parametrize("seed_at", [0, 1])
def test_regions_are_the_argmax_of_the_network(trained: Trained, frame: int, seed_at: int) -> None:
    grid = toy_measure.grid(3.0, 21)
    assert grid[0, -1].tolist() == [3.0, -3.0]  # x runs along the second axis
    seen = toy_measure.fields(trained, [frame], seed_at, grid)
    z = _numpy_outputs(trained, frame, seed_at, grid)
    expected = log_softmax(z[..., :4], axis=-1)
    np.testing.assert_allclose(seen.classes[0], np.moveaxis(expected, -1, 0), atol=1e-4)
    assert seen.extra is not None
    np.testing.assert_allclose(seen.extra[0], z[..., 4] - z[..., :4].max(axis=-1), atol=1e-4)
    sure = np.abs(seen.extra[0]) > 1e-3
    np.testing.assert_array_equal((z.argmax(axis=-1) == 4)[sure], (seen.extra[0] > 0)[sure])


def test_a_method_without_drainage_has_no_drained_region(drawn: list[Drawn]) -> None:
    plain = toy.train(CE, SMALL, drawn)
    assert toy_measure.fields(plain, [-1], 0, toy_measure.grid(3.0, 5)).extra is None
    row = toy_measure.measure(plain, drawn)[0]
    names = [key for key in row if key.startswith(("drain", "auroc_drain"))]
    assert len(names) == 5
    assert all(row[name] is None for name in names)


def _crafted(slope: float) -> tuple[Trained, Drawn]:
    """A network whose drainage logit is slope x - 1 and whose class logits are 0, -2, -2, -2.

    Clean points of class 0 lie at x = 0; one of class 1 at x = 1 is labelled 0.
    """
    first, second = nn.Linear(2, 64), nn.Linear(64, 64)
    model = Classifier(nn.Sequential(first, nn.ReLU(), second, nn.ReLU()), 64, 5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        first.weight[0, 0] = 1.0
        second.weight[0, 0] = 1.0
        model.head.weight[4, 0] = slope
        model.head.bias.copy_(torch.tensor([0.0, -2.0, -2.0, -2.0, -1.0]))
    points = np.array([[0.0, 0.0]] * 3 + [[1.0, 0.0]])
    labels = NoisyLabels([0, 0, 0, 0], [0, 0, 0, 1], 4, NoiseSpec.parse("pair:0.25"), 0)  # type: ignore[arg-type]
    one = Drawn(points, labels, points, np.array([0, 0, 1, 1]), np.zeros((1, 4), np.int64))
    return Trained(DRAINAGE, (0,), (toy._stack([model]),), ("",)), one


def test_numbers_in_a_closed_case() -> None:
    trained, one = _crafted(slope=5.0)
    (row,) = toy_measure.measure(trained, [one])
    total = np.log(1 + 3 * np.exp(-2.0))
    assert row["test_accuracy"] == 0.5
    assert row["clean_fit"] == 1.0
    assert row["flipped_fit_given"] == 1.0
    assert row["flipped_fit_true"] == 0.0
    assert row["drainage_clean"] == pytest.approx(expit(-1 - total), rel=1e-5)
    assert row["drainage_flipped"] == pytest.approx(expit(4 - total), rel=1e-5)
    assert row["drained_clean"] == 0.0
    assert row["drained_flipped"] == 1.0
    assert row["auroc_drainage"] == 1.0


@pytest.mark.parametrize(("slope", "area"), [(0.0, 0.5), (-5.0, 0.0)])
def test_auroc_of_ties_and_of_the_wrong_order(slope: float, area: float) -> None:
    trained, one = _crafted(slope)
    assert toy_measure.measure(trained, [one])[0]["auroc_drainage"] == area


def test_auroc_counts_pairs(trained: Trained, drawn: list[Drawn]) -> None:
    (row, _), one = toy_measure.measure(trained, drawn), drawn[0]
    z = _numpy_outputs(trained, -1, 0, one.points)
    mass = np.exp(log_softmax(z, axis=1))[:, 4]
    flipped, clean = mass[one.labels.flipped], mass[~one.labels.flipped]
    wins = (flipped[:, None] > clean).mean()
    assert row["auroc_drainage"] == pytest.approx(wins, abs=2e-3)
    assert row["drainage_flipped"] == pytest.approx(flipped.mean(), rel=1e-4)
    right = z[:, :4].argmax(axis=1) == one.labels.noisy
    assert row["clean_fit"] == pytest.approx(right[~one.labels.flipped].mean())


# --- the command ----------------------------------------------------------------------------------

WORDS = ["toy", "--epochs", "3", "--points", "20", "--seeds", "0-1"]


def test_the_command_writes_the_same_bytes_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        assert main([*WORDS, "--methods", "ce,drainage", "--out", str(tmp_path / name)]) == 0
    assert "Drainage" in capsys.readouterr().out
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    names = {"toy.png", "toy.pdf", "toy.gif", "runs.csv", "epochs.csv", "toy.json", "index.md"}
    assert {path.name for path in one} == names
    for mine, theirs in zip(one, two, strict=True):
        assert mine.read_bytes() == theirs.read_bytes(), mine.name
    with Image.open(tmp_path / "one" / "toy.gif") as film:
        assert getattr(film, "n_frames", 1) == len(toy.recorded(3))
    runs = pd.read_csv(tmp_path / "one" / "runs.csv")
    assert runs[["method", "seed"]].to_numpy().tolist() == [
        [m, s] for m in ("ce", "drainage") for s in (0, 1)
    ]
    facts = json.loads((tmp_path / "one" / "toy.json").read_text("utf-8"))
    for entry in facts["methods"]:
        mine = runs[runs["method"] == entry["method"]]["test_accuracy"]
        found = entry["numbers"]["test_accuracy"]
        assert (found["mean"], found["sd"]) == (
            pytest.approx(mine.mean(), abs=1e-5),
            pytest.approx(mine.std(), abs=1e-5),
        )


def test_clean_labels_and_one_seed_leave_no_false_number(tmp_path: Path) -> None:
    words = ["toy", "--epochs", "2", "--points", "20", "--seeds", "7", "--still"]
    out = tmp_path / "out"
    assert main([*words, "--noise", "clean", "--methods", "drainage", "--out", str(out)]) == 0
    runs = pd.read_csv(out / "runs.csv")
    assert runs[["auroc_drainage", "flipped_fit_given", "drained_flipped"]].isna().all(axis=None)
    assert runs["drainage_clean"].between(0, 1).all()
    page = (out / "index.md").read_text("utf-8")
    assert "flipped: none" in page
    assert "nan" not in page
    assert not (out / "toy.gif").exists()


def test_methods_take_parameters() -> None:
    words = ["nlbench.baselines.methods.ce:CE", "gce:q=0.5", "drainage:alpha=0.1:beta=none"]
    asked = methods_of(words)
    assert [a.title for a in asked] == ["CE", "GCE, q = 0.5", "Drainage, α = 0.1, β = none"]
    assert asked[1].method.params() == {"q": 0.5}
    assert asked[2].method.params() == {"alpha": 0.1, "beta": 10.0}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--methods", "drainge"], "drainge.*drainage"),
        (["--methods", "gce:p=1"], "'p'"),
        (["--methods", "gce:q=2"], r"outside \[0, 1\]"),
        (["--methods", "gce:q=high"], "high"),
        (["--methods", ","], "--methods"),
        (["--methods", "ce,ce"], "same"),
        (["--methods", "drainage,drainage:alpha=1"], "alpha=1.*same"),
        (["--noise", "instance:0.4"], "instance.*pixels.*asymmetric"),
        (["--noise", "symmetric:0.2+instance:0.2"], "instance.*pixels"),
        (["--noise", "confidence:0.3"], "softmax"),
        (["--noise", "human:worse"], "human.*images"),
        (["--noise", "openset:0.2:from=mnist"], "openset.*images"),
        (["--noise", "symetric:0.4"], "symetric.*symmetric"),
        (["--noise", "asymmetric:0.5"], "0.5"),
        (["--noise", "asymmetric:0.4:map=gone.json"], "gone.json"),
        (["--epochs", "-3"], "epochs = -3"),
        (["--epochs", "0"], "epochs = 0"),
        (["--points", "1"], "per_class = 1"),
        (["--seeds", "x"], "--seeds.*x"),
        (["--seeds", "1,1"], "different"),
        (["--seeds", ""], "seeds"),
        (["--data", "rings"], "rings.*ring"),
    ],
)
def test_every_mistake_is_one_line(
    words: list[str],
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*WORDS, *words, "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("nlbench: ")
    assert re.search(says, lines[0]), lines[0]
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "out"
    taken.write_text("mine")
    assert main([*WORDS, "--methods", "ce", "--out", str(taken)]) == 2
    assert str(taken) in capsys.readouterr().err
    assert taken.read_text() == "mine"


# --- what docs/drainage.md says of the loss -------------------------------------------------------


@given(st.floats(0.05, 20.0), st.integers(0, 2**32 - 1))
def test_with_beta_one_the_loss_is_two_logistic_losses(alpha: float, seed: int) -> None:
    z = 4 * noise.generator("test-two", seed).standard_normal((6, 5))
    t = np.arange(6) % 4
    method = baselines.create("drainage", {"alpha": alpha, "beta": 1.0})
    found = method.loss(torch.tensor(z), torch.tensor(t)).numpy()
    for row, label, value in zip(z, t, found, strict=True):
        others = logsumexp(np.delete(row[:4], label))
        expected = np.logaddexp(0, row[4] - row[label] + np.log(alpha))
        expected += np.logaddexp(0, others - row[4])
        assert value == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("share", [0.51, 0.6, 0.9])
def test_with_alpha_one_a_majority_stays_above_the_node(share: float) -> None:
    method = baselines.create("drainage", {"alpha": 1.0})

    def risk(z: Floats) -> float:
        both = torch.tensor(np.array([[z[0], z[1], 0.0]] * 2))
        losses = method.loss(both, torch.tensor([0, 1])).numpy()
        return float(share * losses[0] + (1 - share) * losses[1])

    best = optimize.minimize(risk, np.zeros(2), tol=1e-12).x
    np.testing.assert_allclose(best, [logit(share), -logit(share)], atol=1e-4)
