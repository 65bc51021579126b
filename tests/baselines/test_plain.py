"""Methods of others: titles, hyper-parameters and predictions of the wrong type or range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from nlbench.baselines import Method, MethodError
from nlbench.baselines.plain import check_params, check_title, checked_predictions
from nlbench.baselines.registry import usable


@dataclass(frozen=True, kw_only=True)
class Answers(Method):
    """Predicts what the test wants."""

    found: ClassVar[Any] = None

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        return -logits.log_softmax(1).gather(1, targets[:, None]).squeeze(1)

    def predict(self, logits: Tensor) -> Tensor:
        return type(self).found if type(self).found is not None else super().predict(logits)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (torch.tensor([0, 99]), "classes 0 to 99; there are 0 to 2"),
        (torch.tensor([-1, 0]), "classes -1 to 0"),
        (torch.tensor([0.0, 1.0]), "float32, not int64"),
        (torch.tensor([0]), r"predict gives \(1,\) for 2 images"),
        (torch.zeros(2, 3, dtype=torch.int64), r"predict gives \(2, 3\)"),
        ([0, 1], "predict gives list"),
    ],
)
def test_predictions_are_classes(found: object, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.tensor([[0.0, 1.0, 0.0], [2.0, 1.0, 0.0]])
    assert checked_predictions(Answers(), logits).tolist() == [1, 0]
    monkeypatch.setattr(Answers, "found", found)
    with pytest.raises(MethodError, match=says):
        checked_predictions(Answers(), logits)


@pytest.mark.parametrize(
    ("losses", "says"),
    [
        (torch.tensor(1.0), r"per_sample returned \(\); .* shape \(2,\)"),
        (torch.zeros(2, 3), r"per_sample returned \(2, 3\)"),
        (torch.zeros(1), r"per_sample returned \(1,\)"),
        ([0.0, 1.0], "per_sample returned list"),
        (None, "per_sample returned NoneType"),
    ],
)
def test_there_is_a_loss_of_each_sample(
    losses: object, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "per_sample", lambda *_: losses)
    with pytest.raises(MethodError, match=says):
        Answers().loss(torch.zeros(2, 3), torch.tensor([0, 1]))


@pytest.mark.parametrize("title", ["", " ", "a\nb", "\x1b[2J", None, 7, "x" * 101, ["x"]])
def test_a_title_is_a_short_text(title: object, monkeypatch: pytest.MonkeyPatch) -> None:
    check_title("mine", "Mine, 2nd try")
    monkeypatch.setattr(Answers, "title", title)
    with pytest.raises(MethodError, match="title"):
        usable("mine", Answers)


@pytest.mark.parametrize(
    "params", [None, [], {"a": [1]}, {1: 2}, {"a": math.nan}, {"a": torch.tensor(1)}, {"a": {}}]
)
def test_hyper_parameters_are_plain(params: object) -> None:
    check_params("mine", {"a": 1, "b": 0.5, "c": "x", "d": None, "e": True})
    with pytest.raises(MethodError, match=r"params\(\)"):
        check_params("mine", params)
