"""Measures of predictions: against scikit-learn, closed cases, bounds, and in real records."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from nlbench.benchmark import metrics
from nlbench.benchmark.datasets import load
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.metrics import Metric, Predictions
from nlbench.benchmark.metrics.calibration import BINS
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.store.record import RunRecord
from tests.helpers.runs import HERE, tiny

NAMES = ("adaptive_ece", "balanced_accuracy", "brier", "ece", "nll", "top5", "worst_class")


def drawn(samples: int, classes: int, seed: int, scale: float = 3.0) -> Predictions:
    """Logits that favour the true label somewhat; every class is there."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(samples) % classes)
    logits = scale * rng.normal(size=(samples, classes))
    logits[np.arange(samples), labels] += 2 * scale
    return Predictions(logits, labels, rng.random(samples))


def value(name: str, predictions: Predictions) -> float:
    return metrics.get(name).function(predictions)


def softmax(logits: np.ndarray) -> np.ndarray:
    """In plain Python, row by row."""
    rows = [[math.exp(z - max(row)) for z in row] for row in logits.tolist()]
    return np.array([[e / math.fsum(row) for e in row] for row in rows])


def test_the_folder_is_the_registry() -> None:
    folder = Path(metrics.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "\nMETRIC = " in path.read_text("utf-8")}
    assert {metric.name for metric in metrics.every()} == files >= set(NAMES)
    with pytest.raises(UserError, match=r"unknown metric 'eec' in my.toml; did you mean 'ece'"):
        metrics.get("eec", "my.toml")


@pytest.mark.parametrize("classes", [2, 10, 30])
def test_measures_are_scikit_learns(classes: int) -> None:
    made = drawn(600, classes, seed=classes)
    p, labels, every = softmax(made.logits), made.labels, range(classes)
    predicted = p.argmax(axis=1)
    recalls = reference.recall_score(labels, predicted, average=None)
    expected = {
        "nll": reference.log_loss(labels, p, labels=every),
        "brier": reference.brier_score_loss(labels, p, labels=every, scale_by_half=False),
        "balanced_accuracy": reference.balanced_accuracy_score(labels, predicted),
        "worst_class": min(recalls),
        "ece": calibration(predicted == labels, p.max(axis=1), "uniform"),
        "adaptive_ece": calibration(predicted == labels, p.max(axis=1), "quantile"),
    }
    if classes > 20:
        expected["top5"] = reference.top_k_accuracy_score(labels, p, k=5)
    assert min(expected.values()) > 0
    for name, number in expected.items():
        assert value(name, made) == pytest.approx(number, rel=1e-9), name


def calibration(correct: np.ndarray, confidence: np.ndarray, strategy: str) -> float:
    """From scikit-learn's reliability diagram and the sizes of its bins."""
    right, mean = calibration_curve(correct, confidence, n_bins=BINS, strategy=strategy)
    cuts = np.linspace(0, 1, BINS + 1)
    edges = cuts if strategy == "uniform" else np.quantile(confidence, cuts)
    counts = np.histogram(confidence, edges)[0]
    return float((counts[counts > 0] * np.abs(right - mean)).sum() / len(correct))


def test_calibration_error_worked_out_by_hand() -> None:
    """Two classes: 10 samples at confidence 0.8, of which 6 are right, and 10 at 0.6, all right."""
    odds = np.log([4.0] * 10 + [1.5] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [0] * 10)
    made = Predictions(np.stack([odds, 0 * odds], axis=1), labels, np.zeros(20))
    assert value("ece", made) == pytest.approx(0.5 * 0.2 + 0.5 * 0.4)
    # Parts of one or two samples in order of confidence: right at 0.6 ten times, then six right
    # and four wrong at 0.8, of which no part holds both kinds.
    assert value("adaptive_ece", made) == pytest.approx(0.5 * 0.4 + 0.3 * 0.2 + 0.2 * 0.8)


@given(
    samples=st.integers(1, 40),
    classes=st.integers(2, 30),
    seed=st.integers(0, 999),
    scale=st.sampled_from([0.0, 1e-3, 1.0, 1e3, 1e30]),
)
def test_values_lie_within_the_bounds(samples: int, classes: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    logits = scale * rng.normal(size=(samples, classes))
    made = Predictions(logits, rng.integers(0, classes, samples), np.zeros(samples))
    shifted = Predictions(logits + 8, made.labels, made.losses)
    for metric in metrics.every():
        low, high = metric.bounds
        found = metric.function(made)
        assert low <= found <= high, metric.name
        if scale <= 1e3:
            assert metric.function(shifted) == pytest.approx(found, rel=1e-6, abs=1e-9)


def test_perfect_predictions_are_best() -> None:
    labels = np.arange(60) % 30
    made = Predictions(1e3 * np.eye(30)[labels], labels, np.zeros(60))
    for metric in metrics.every():
        best = metric.bounds[1] if metric.higher_is_better else metric.bounds[0]
        assert metric.function(made) == pytest.approx(best), metric.name


def test_what_is_not_finite_is_none() -> None:
    made = Predictions(np.full((3, 2), np.inf), np.zeros(3, dtype=np.int64), np.zeros(3))
    with np.errstate(invalid="ignore"):
        assert metrics.get("nll").value(made, 6) is None


def test_a_record_holds_every_measure_of_its_last_epoch() -> None:
    record = train(tiny("ce"), HERE)
    found = record.evaluations["measures"]
    expected = {metric.name for metric in metrics.every() if metric.min_classes <= 10}
    assert set(found) == expected >= set(NAMES) - {"top5"}
    data = load("digits")
    recalls = [record.correct()[data.y_test == k].mean() for k in range(10)]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls), abs=1e-6)
    assert found["worst_class"] == pytest.approx(min(recalls), abs=1e-6)
    assert 0 < found["ece"] < 1
    assert 0 < found["nll"] < math.log(10)
    assert RunRecord.from_json(record.to_json()) == record


MINE = """
from nlbench.benchmark.metrics.metric import Metric, Predictions


def mean_loss(predictions: Predictions) -> float:
    return float(predictions.losses.mean())


METRIC = Metric(name="mean_loss", title="mean loss", unit="nats", higher_is_better=False,
                bounds=(0.0, float("inf")), function=mean_loss)
"""


def test_a_file_in_the_folder_is_a_measure_of_every_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mean_loss.py").write_text(MINE)
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    assert isinstance(metrics.get("mean_loss"), Metric)
    found = train(tiny("ce"), HERE).evaluations["measures"]
    assert found["mean_loss"] == pytest.approx(found["nll"], abs=1e-5)
    assert found["mean_loss"] > 0
