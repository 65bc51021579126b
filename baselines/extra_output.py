"""Methods whose network has one more output than there are classes, the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines.method import Method

# After the first method that had one: records have this name, and keep their bytes.
SCORE = "drainage"


@dataclass(frozen=True, kw_only=True)
class ExtraOutput(Method):
    """A method with one output beyond the K classes: drainage, abstention, reservation.

    Prediction is the argmax over the K classes: the extra output never wins. Its probability in the
    softmax over all K + 1 is the open-set score `drainage` too.
    """

    extra_outputs: ClassVar[int] = 1
    has_extra_output: ClassVar[bool] = True

    def extra_output_probability(self, logits: Tensor) -> Tensor:
        """Return the probability of the extra output among all K + 1, (N,) in [0, 1]."""
        real = self.class_logits(logits)
        full = torch.float64 if logits.dtype == torch.float64 else torch.float32
        # As a sigmoid, so that a small one keeps its digits and a large one its order.
        return torch.sigmoid(logits[:, -1].to(full) - torch.logsumexp(real.to(full), dim=1))

    def rejects(self, logits: Tensor) -> Tensor:
        """Return where the extra output is the largest of all K + 1, (N,) bool."""
        return logits[:, -1] > self.class_logits(logits).amax(dim=1)

    def scores(self, logits: Tensor) -> dict[str, Tensor]:
        """Return the scores of every method and that of the extra output, its probability."""
        return {**super().scores(logits), SCORE: self.extra_output_probability(logits)}
