"""What a method declares and returns, checked: methods come from other packages too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nlbench.baselines.errors import MethodError

if TYPE_CHECKING:
    from nlbench.baselines.method import Method

LONGEST_TITLE = 100


def check_title(name: str, title: object) -> None:
    """Refuse a title that is no short text on one line."""
    if not isinstance(title, str) or not title.strip() or not title.isprintable():
        raise MethodError(f"method {name!r}: title {title!r:.120} should be a text on one line")
    if len(title) > LONGEST_TITLE:
        raise MethodError(
            f"method {name!r}: its title has {len(title)} characters; at most {LONGEST_TITLE}"
        )


def check_params(name: str, params: object) -> None:
    """Refuse hyper-parameters that are not plain: they are written into records as JSON."""
    if not isinstance(params, dict):
        raise MethodError(f"method {name!r}: params() gives {params!r:.120}, not a dictionary")
    for key, value in params.items():
        plain = value is None or isinstance(value, bool | int | str | float)
        if not isinstance(key, str) or not plain:
            raise MethodError(
                f"method {name!r}: params() gives {key!r:.60} = {value!r:.60}; it should be a"
                " number, a text, true, false or none"
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise MethodError(f"method {name!r}: params() gives {key} = {value}, not finite")


def checked_predictions(method: Method, logits: Tensor) -> Tensor:
    """What a method predicts from outputs.

    Raises:
        MethodError: not one whole number for each row, or a class that there is not.
    """
    classes = logits.shape[1] - method.extra_outputs
    found = method.predict(logits)
    if not isinstance(found, Tensor) or found.shape != logits.shape[:1]:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise MethodError(
            f"method {method.name!r}: predict gives {shape} for {len(logits)} images, not"
            f" ({len(logits)},)"
        )
    if found.dtype != torch.int64:
        raise MethodError(f"method {method.name!r}: predict gives {found.dtype}, not int64")
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < classes:
        raise MethodError(
            f"method {method.name!r}: predict gives classes {int(found.min())} to"
            f" {int(found.max())}; there are 0 to {classes - 1}"
        )
    return found
