"""Transition matrices T, T_ij = share of class i that is given label j: losses and estimates."""

from __future__ import annotations

import torch
from torch import Tensor

from nlbench.baselines.errors import MethodError

# An inverse is refused where rounding of T alone would change it by more than about a per cent.
WORST_CONDITION = 1e5
# Share of the images with the highest probability of a class that are taken for outliers, and the
# number of classes from which on released code takes none.
OUTLIERS = 0.03
MANY_CLASSES = 100


def log_mixed(logits: Tensor, transition: Tensor, targets: Tensor) -> Tensor:
    """Return log (p^T T)_y of each sample, the probability of the given label.

    Summed in the log domain: with T = I it is log p_y to the last bit, and no probability is
    rounded to 0.

    Args:
        logits: (B, K).
        transition: (K, K), entries >= 0; label y of the batch has an entry above 0.
        targets: (B,) given labels.
    """
    return torch.logsumexp(logits.log_softmax(dim=1) + transition.log().t()[targets], dim=1)


def inverse(transition: Tensor) -> Tensor:
    """Return the inverse, or raise MethodError where there is none to speak of."""
    exact = transition.double()
    condition = float(torch.linalg.cond(exact))
    if not condition < WORST_CONDITION:
        raise MethodError(
            f"the transition matrix has condition number {condition:.3g}: two classes are confused"
            f" so evenly that it cannot be inverted (it must be below {WORST_CONDITION:.0e})"
        )
    found: Tensor = torch.linalg.inv(exact)
    return found.to(transition.dtype)


def outliers(classes: int) -> float:
    """Return the share of images that released code leaves out when it looks for anchors."""
    return 0.0 if classes >= MANY_CLASSES else OUTLIERS


def anchored(p: Tensor, left_out: float = OUTLIERS, *, in_place: bool = False) -> Tensor:
    """Estimate T from anchors: row i is the prediction for the image most surely of class i.

    Args:
        p: (n, K) predicted probabilities of given labels.
        left_out: this share of the images with the highest p_i is not taken for class i.
        in_place: these p_i count as 0 in the rows of later classes too, a bug of released code.
    """
    seen = p.clone()
    rows = []
    for column in seen.unbind(dim=1):
        if left_out > 0.0:
            limit = torch.quantile(column, 1.0 - left_out, interpolation="higher")
            column.masked_fill_(column >= limit, 0.0)
        rows.append((seen if in_place else p)[column.argmax()])
    return _normalised(torch.stack(rows))


def dual(p: Tensor, given: Tensor, left_out: float = OUTLIERS, *, in_place: bool = False) -> Tensor:
    """Estimate T as anchored T times the share of each given label among images predicted as j.

    A class that is predicted nowhere keeps its own label.

    Args:
        p: (n, K) predicted probabilities.
        given: (n,) labels.
        left_out: see `anchored`.
        in_place: see `anchored`.
    """
    classes = p.shape[1]
    pairs = p.argmax(dim=1) * classes + given
    counts = torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    counts = counts + torch.diag((counts.sum(dim=1) == 0).long())
    matrix = anchored(p, left_out, in_place=in_place)
    return _normalised(matrix @ _normalised(counts.to(p.dtype)))


def _normalised(rows: Tensor) -> Tensor:
    return rows / rows.sum(dim=1, keepdim=True)
