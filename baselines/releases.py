"""Published settings of the loss line of work (APL, ALF, ANL, eps-softmax, Drainage).

Its releases train alike on each family of data sets and differ in the penalty: L2 by weight decay,
or L1 in the loss and then no weight decay.
"""

from __future__ import annotations

from collections.abc import Mapping

from nlbench.baselines.method import Published, Scalar

DRAINAGE = "github.com/ZKI-PH-ImageAnalysis/Drainage (b805850)"
ALF = "github.com/hitcszx/ALFs (61245e9), config.py and main.py"
ANL = "github.com/Virusdoll/Active-Negative-Loss (0c50009)"
EPS = "github.com/cswjl/eps-softmax (f81685c), config.py"
JAL = "github.com/cswjl/joint-asymmetric-loss (0f9eb7b)"
SR = "github.com/hitcszx/lnl_sr (cd3ed32), config.py and main.py"

# Family of data sets -> learning rate, weight decay.
_TRAINING = {
    "mnist": (0.01, 1e-3),
    "cifar10": (0.01, 1e-4),
    "cifar100": (0.1, 1e-5),
    "mini_webvision": (0.4, 3e-5),
    "clothing1m": (1e-3, 1e-3),
}


def trained(
    family: str, source: str, params: Mapping[str, Scalar], l1: float = 0.0, lr: float | None = None
) -> tuple[str, Published]:
    """Return a family and its published setting, an entry of `Method.published`.

    Args:
        family: mnist, cifar10, cifar100, mini_webvision or clothing1m.
        source: release and file.
        params: hyper-parameters that the source sets.
        l1: its L1 penalty; with one there is no weight decay.
        lr: its learning rate where it is not that of its line of work.
    """
    usual, weight_decay = _TRAINING[family]
    recipe = {
        "lr": usual if lr is None else lr,
        "weight_decay": 0.0 if l1 else weight_decay,
        "l1": l1,
    }
    return family, Published(params=params, recipe=recipe, source=source)
