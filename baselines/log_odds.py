"""Log-odds of classes: p = sigmoid(o), so that p, 1 - p and their logarithms all keep their digits.

With o = log p / (1 - p): -log p = -logsigmoid(o), log(1 - p) = logsigmoid(-o), 1 - p = sigmoid(-o).
No probability is rounded to 0 or 1 on the way, so nothing needs a clamp.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def log_odds(logits: Tensor, targets: Tensor) -> Tensor:
    """Log-odds of the label against all other classes, o = z_t - LSE over the others.

    Args:
        logits: (N, K) float32 or float64, K >= 2.
        targets: (N,) int64 in [0, K).

    Returns:
        (N,), finite for finite logits.
    """
    index = targets[:, None]
    others = torch.logsumexp(logits.scatter(1, index, -torch.inf), dim=1)
    return logits.gather(1, index).squeeze(1) - others


def log_complements(logits: Tensor) -> Tensor:
    """log(1 - p_k) for every class k, (N, K) -> (N, K) in (-inf, 0], finite for finite logits.

    The largest p_k may be near 1 and goes through its log-odds; no other is above one half.
    """
    top = logits.argmax(dim=1)
    at_top = F.logsigmoid(-log_odds(logits, top))[:, None]
    p = torch.softmax(logits, dim=1).scatter(1, top[:, None], 0.0)
    return torch.log1p(-p).scatter(1, top[:, None], at_top)
