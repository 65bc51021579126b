"""Template: an optimiser, as those of torch."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


class Template(torch.optim.Optimizer):
    """Steps along the sign of a running mean of the gradients.

    ``lr`` and whatever else of a recipe's fields ``__init__`` names (here ``momentum``) come from
    the recipe. A step reads ``group["lr"]``, which the schedule sets in every epoch.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float, momentum: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["mean"] = torch.zeros_like(weight)
                state["mean"].lerp_(weight.grad, 1 - group["momentum"])
                weight.sub_(group["lr"] * state["mean"].sign())
