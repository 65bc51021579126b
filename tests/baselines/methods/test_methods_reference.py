"""Every loss against what its released code gives: values and gradients, row by row.

What the file holds and how it was made stands in tests/data/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nlbench import baselines
from nlbench.baselines import Method

FILE = Path(__file__).resolve().parents[2] / "data" / "reference_values.npz"
Floats = NDArray[np.float64]
Values = dict[str, Any]
# The tolerances are distances between release and exact formula: our rounding comes on top.
ROUNDING = 2e-12


def same(name: str, **fixed: object) -> Callable[[Values], Method]:
    """The method of that name with the setting's values under the same names, and fixed ones."""
    return lambda values: baselines.create(name, {**values, **fixed})


# Released function -> our method with the values of a setting. A term of a sum is the sum with
# weight 0 on the other one.
OURS: dict[str, Callable[[Values], Method]] = {
    "ce": same("ce"),
    "gls": lambda v: baselines.create("ls" if v["r"] >= 0.0 else "nls", v),
    "focal": same("focal", legacy=True),
    "nfl": same("anl-fl", alpha=1.0, beta=0.0, legacy=True),
    "mae": same("mae"),
    "gce": same("gce"),
    "rce": lambda _: baselines.create("sce", {"alpha": 0.0, "beta": 1.0}),
    "nce": same("nce"),
    "sce": same("sce"),
    "sce_original": same("sce"),
    "agce": same("agce"),
    "aul": same("aul"),
    "ael": same("ael"),
    "nnce": same("anl-ce", alpha=0.0, beta=1.0),
    "nnfl": same("anl-fl", alpha=0.0, beta=1.0, legacy=True),
    "nce_mae": same("nce+mae"),
    "nce_rce": same("nce+rce"),
    "nce_agce": same("nce+agce"),
    "nce_aul": same("nce+aul"),
    "nce_ael": same("nce+ael"),
    "anl_ce": same("anl-ce"),
    "anl_fl": same("anl-fl", gamma=0.5, legacy=True),
    "amse": same("jal-ce", alpha=0.0, beta=1.0),
    "jal_ce": same("jal-ce"),
    "eps_ce": same("eps-softmax", alpha=1.0, beta=0.0),
    "eps_ce_mae": same("eps-softmax"),
    "ldr_kl": lambda v: baselines.create("ldr-kl", {"lam": v["lambda"], "margin": 0.1}),
    "logitclip_eps": lambda v: baselines.create(
        "logit-clip", {"tau": 1.0 / v["delta"], "legacy": True}
    ),
    "logitclip_official": lambda v: baselines.create(
        "logit-clip", {"tau": v["temp"], "legacy": True}
    ),
    "sr_ce": lambda v: baselines.create(
        "sr-constant", {"tau": v["tau"], "p": v["p"], "lam": v["lambda"]}
    ),
    "phuber_ce": same("phuber-ce"),
    "phuber_gce": same("phuber-gce"),
    "taylor_ce": same("taylor-ce"),
    "js": same("js"),
    "bi_tempered_google": same("bi-tempered"),
    "bi_tempered_torch": same("bi-tempered"),
    "dac": same("dac-constant"),
    "gambler": same("gambler"),
    "drainage": same("drainage"),
}


@cache
def reference() -> dict[str, NDArray[Any]]:
    with np.load(FILE) as stored:
        return {key: stored[key] for key in stored.files}


INDEX: list[dict[str, Any]] = json.loads(str(reference()["index"]))
each = pytest.mark.parametrize(
    ("row", "entry"),
    list(enumerate(INDEX)),
    ids=[f"{entry['function']}-{json.dumps(entry['setting'])}" for entry in INDEX],
)


def values_and_slopes(method: Method, classes: int, dtype: torch.dtype) -> tuple[Floats, Floats]:
    """Losses, and the gradient of the batch mean along the file's direction, both per row."""
    stored = reference()
    name = "logits_extra" if method.extra_outputs else "logits"
    logits = torch.from_numpy(stored[f"K{classes}/{name}"]).to(dtype).requires_grad_(True)
    losses = method.loss(logits, torch.from_numpy(stored[f"K{classes}/targets"]))
    (gradient,) = torch.autograd.grad(losses.mean(), logits)
    direction = torch.cos(torch.arange(1, logits.shape[1] + 1, dtype=torch.float64))
    return losses.detach().double().numpy(), (gradient.double() @ direction).numpy()


def within(got: Floats, released: Floats, tolerance: Floats, relative: float = ROUNDING) -> Floats:
    """How far each number is outside its tolerance; 0 where the release has no finite one."""
    allowed = tolerance + relative * np.maximum(1.0, np.abs(np.nan_to_num(released)))
    known = np.isfinite(released) & np.isfinite(tolerance)
    return np.where(known, np.maximum(np.abs(got - released) - allowed, 0.0), 0.0)


@each
@pytest.mark.parametrize("classes", [3, 10, 100])
def test_values_and_gradients_are_those_of_the_release(
    row: int, entry: dict[str, Any], classes: int
) -> None:
    stored = {key: reference()[f"K{classes}/{key}"] for key in ("loss", "slope", "exact")}
    allowed = {key: reference()[f"K{classes}/{key}_tol"][row] for key in ("loss", "slope")}
    method = OURS[entry["function"]](entry["setting"])
    losses, slopes = values_and_slopes(method, classes, torch.float64)
    assert np.isfinite(losses).all()
    assert np.isfinite(slopes).all()
    assert not within(losses, stored["loss"][row], allowed["loss"]).any()
    assert not within(slopes, stored["slope"][row], allowed["slope"]).any()
    exact = stored["exact"][row]
    assert not within(losses, exact, np.zeros_like(exact), relative=1e-9).any()


@each
@pytest.mark.parametrize("classes", [3, 10, 100])
def test_float32_values_are_those_of_the_release(
    row: int, entry: dict[str, Any], classes: int
) -> None:
    released = reference()[f"K{classes}/loss"][row]
    allowed = reference()[f"K{classes}/loss_tol"][row]
    method = OURS[entry["function"]](entry["setting"])
    losses, _ = values_and_slopes(method, classes, torch.float32)
    assert not within(losses, released, allowed, relative=1e-5).any()


def test_every_function_of_the_file_has_a_method_of_ours() -> None:
    assert {entry["function"] for entry in INDEX} == set(OURS)


def test_the_comparison_can_fail() -> None:
    """The symmetric loss with scale 1 is not that with scale 2, nor is half its gradient."""
    row = next(i for i, e in enumerate(INDEX) if e["setting"] == {"scale": 2.0})
    losses, slopes = values_and_slopes(baselines.create("mae", {"scale": 1.0}), 10, torch.float64)
    stored = reference()
    assert within(losses, stored["K10/loss"][row], stored["K10/loss_tol"][row]).any()
    assert within(slopes, stored["K10/slope"][row], stored["K10/slope_tol"][row]).any()
