"""Open-set metrics and detection of mislabelled samples: closed cases, brute force, real runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import auc, roc_auc_score

from nlbench.benchmark.datasets import load
from nlbench.benchmark.metrics.label_errors import BINS, detection, histogram
from nlbench.benchmark.metrics.open_set import recognition
from nlbench.benchmark.metrics.roc import auroc
from nlbench.benchmark.pipeline.select import host
from nlbench.benchmark.runs.prepare import prepare
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.benchmark.store.record import RunRecord
from tests.helpers.runs import HERE, tiny

# Few distinct values, so that ties are common.
COARSE = st.integers(-3, 3).map(float)
NONE = np.zeros(0)


def scores(size: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, size, elements=COARSE)


@given(known=scores(7), unknown=scores(5))
def test_auroc_counts_pairs(known: np.ndarray, unknown: np.ndarray) -> None:
    pairs = [(u > k) + 0.5 * (u == k) for u in unknown for k in known]
    both, positive = np.concatenate([known, unknown]), np.arange(12) >= 7
    assert auroc(both, positive) == pytest.approx(np.mean(pairs))
    assert auroc(both, positive) == pytest.approx(roc_auc_score(positive, both))
    assert auroc(both, positive) == pytest.approx(
        recognition(known, unknown, np.ones(7, dtype=bool), NONE)["auroc"], abs=1e-6
    )


def test_auroc_of_one_group_alone_is_none() -> None:
    assert auroc(np.arange(3.0), np.ones(3, dtype=bool)) is None
    assert auroc(np.arange(3.0), np.zeros(3, dtype=bool)) is None


@given(known=scores(8), unknown=scores(6), correct=arrays(np.bool_, 8, elements=st.booleans()))
def test_oscr_is_the_area_under_correct_acceptance(
    known: np.ndarray, unknown: np.ndarray, correct: np.ndarray
) -> None:
    cuts = [-np.inf, *sorted({*known, *unknown})]
    accepted = [(unknown <= c).mean() for c in cuts]
    right = [((known <= c) & correct).mean() for c in cuts]
    got = recognition(known, unknown, correct, NONE)
    assert got["oscr"] == pytest.approx(auc(accepted, right), abs=1e-6)
    assert got["ccr"][-1] == pytest.approx(correct.mean(), abs=1e-6)


def test_perfect_and_inverted_scores() -> None:
    known, unknown = np.linspace(0, 1, 40), np.linspace(2, 3, 30)
    right = np.arange(40) % 4 > 0
    best = recognition(known, unknown, right, known)
    worst = recognition(-known, -unknown, right, NONE)
    assert (best["auroc"], best["fpr95"], best["aupr_known"], best["aupr_unknown"]) == (1, 0, 1, 1)
    assert best["oscr"] == pytest.approx(0.75)
    assert best["unknown_rejected"] == 1
    assert best["known_rejected"] <= 0.05
    assert (worst["auroc"], worst["fpr95"]) == (0, 1)
    assert worst["threshold"] is None


def test_fpr95_and_threshold_against_brute_force() -> None:
    rng = np.random.default_rng(0)
    known, unknown, held = rng.normal(size=200), rng.normal(1.0, 1.0, 300), rng.normal(size=100)
    got = recognition(known, unknown, np.ones(200, dtype=bool), held)
    cut = min(c for c in np.concatenate([known, unknown]) if (known <= c).mean() >= 0.95)
    assert got["fpr95"] == pytest.approx((unknown <= cut).mean(), abs=1e-6)
    # The smallest validation score that keeps 95 % of the validation images; no test image chose.
    threshold = min(c for c in held if (held <= c).mean() >= 0.95)
    assert got["threshold"] == pytest.approx(threshold)
    assert got["known_rejected"] == pytest.approx((known > threshold).mean())
    assert got["unknown_rejected"] == pytest.approx((unknown > threshold).mean())


@given(suspicion=scores(20), flipped=arrays(np.bool_, 20, elements=st.booleans()))
def test_f1_at_the_known_rate_flags_as_many_as_are_wrong(
    suspicion: np.ndarray, flipped: np.ndarray
) -> None:
    count = int(flipped.sum())
    if count in (0, 20):
        return
    flagged = sorted(range(20), key=lambda i: (-suspicion[i], i))[:count]
    hits = sum(bool(flipped[i]) for i in flagged)
    assert detection(suspicion, flipped)["f1"] == pytest.approx(hits / count, abs=1e-6)


def test_histogram_counts_every_sample_once() -> None:
    mass = np.array([0.0, 0.019, 0.5, 0.999, 1.0])
    flipped = np.array([True, False, True, False, True])
    counts = histogram(mass, flipped)
    assert (sum(counts["clean"]), sum(counts["flipped"])) == (2, 3)
    assert counts["flipped"][0] == counts["flipped"][BINS // 2] == counts["flipped"][-1] == 1


def osr(unknown: str, method: str = "drainage", noise: str = "symmetric:0.4") -> RunRecord:
    data = DatasetSpec("digits", 60, holdout=0.1, unknown=unknown)
    return train(tiny(method, dataset=data, noise=noise, batch_size=33, epochs=3), HERE)


@pytest.mark.parametrize("method", ["ce", "drainage", "drainage-constant"])
def test_a_run_with_unknown_classes_is_scored_and_survives_the_store(method: str) -> None:
    record = osr("classes:4:split=1", method)
    assert record.status == "ok", record.error
    found = record.evaluations["open_set"]
    full = load("digits")
    known = (full.y_test[:, None] == [int(c) for c in found["classes"]]).any(axis=1)
    assert len(found["classes"]) == 6
    assert (found["known"], found["unknown"]) == (int(known.sum()), int((~known).sum()))
    assert found["validation"] == 36
    assert ("drainage" in found["scores"]) == method.startswith("drainage")
    assert (found["rule"] is None) == (method == "ce")
    assert set(record.evaluations["detection"]["criteria"]) == {"loss", "margin"} | (
        set() if method == "ce" else {"drainage"}
    )
    assert RunRecord.from_json(record.to_json()) == record


def test_the_same_splits_for_all_methods_and_other_splits_for_other_seeds() -> None:
    data = DatasetSpec("digits", unknown="classes:4")
    chosen = [host(data.settled(seed), None).fingerprint for seed in range(6)]
    assert len(set(chosen[:5])) == 5
    assert chosen[5] == chosen[0]


def test_scores_are_those_of_the_network_computed_by_hand() -> None:
    record = osr("foreign:digits", "ce", "clean")
    spec = record.spec
    # The same images known and unknown: no score can tell them apart.
    for found in record.evaluations["open_set"]["scores"].values():
        assert found["auroc"] == pytest.approx(0.5)
    assert record.evaluations["open_set"]["accuracy"] == record.metrics["last"]
    assert "detection" not in record.evaluations
    task, _ = prepare(replace(spec, noise="symmetric:0.4"), HERE)
    unknown, known = task.data.x_unknown, task.data.x_test
    assert isinstance(unknown, torch.Tensor)
    assert isinstance(known, torch.Tensor)
    assert unknown.equal(known)


def test_the_most_drained_images_are_kept_as_they_are() -> None:
    import base64
    import zlib

    record = osr("classes:2:split=0")
    kept = record.evaluations["detection"]["drained"]
    pixels = np.frombuffer(zlib.decompress(base64.b64decode(kept["pixels"])), dtype=np.uint8)
    images = host(record.spec.dataset, None)
    index = np.array(kept["index"])
    assert np.array_equal(pixels.reshape(kept["shape"]), images.x_train[index])
    assert np.array_equal(kept["true"], images.y_train[index])
    assert kept["mass"] == sorted(kept["mass"], reverse=True)
