"""The contract of a method: a loss that training can rely on, and the same bits every time."""

from __future__ import annotations

import json
import pickle

import torch
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Method
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord

CLASSES = 10


def stated(method: Method) -> str:
    """It has a title and a source, and its hyper-parameters survive JSON and pickling."""
    if not method.source:
        return "source is empty: name the paper, or where the method comes from"
    again = baselines.create(method.name, json.loads(json.dumps(method.params())))
    if again.params() != method.params() or pickle.loads(pickle.dumps(method)) != method:
        return f"of {method.params()} came back {again.params()}"
    return ""


def finite(method: Method) -> str:
    """Losses and gradients are finite at logits of 50 and of 10,000."""
    for size in (50.0, 1e4):
        logits = (size * torch.sign(_logits(method, 64))).float()
        for what, values in (
            ("loss", method.loss(logits, _targets(64))),
            ("gradient", _gradient(method, logits)),
        ):
            if not torch.isfinite(values).all():
                return f"a {what} is {values[~torch.isfinite(values)][0]} at logits of {size:g}"
    return ""


def alone(method: Method) -> str:
    """The loss of a sample does not depend on the others in its batch."""
    logits, targets = _logits(method, 8), _targets(8)
    together = method.loss(logits, targets)
    if together.shape != (8,):
        return f"8 samples have losses of shape {tuple(together.shape)}; it should be (8,)"
    single = torch.cat([method.loss(logits[i : i + 1], targets[i : i + 1]) for i in range(8)])
    off = (together - single).abs().max().item()
    return f"off by {off:g} in a batch of one" if off > 1e-10 else ""


def slope(method: Method) -> str:
    """The gradient is that of the loss (finite differences, in float64)."""
    logits, targets = _logits(method, 3).requires_grad_(True), _targets(3)
    torch.autograd.gradcheck(lambda z: method.loss(z, targets), (logits,))
    return ""


def permuted(method: Method) -> str:
    """No class is treated otherwise than another."""
    logits, targets = _logits(method, 40), _targets(40)
    order = torch.arange(CLASSES).roll(3)
    extra = torch.arange(CLASSES, logits.shape[1])
    other = method.loss(logits[:, torch.cat([order, extra])], torch.argsort(order)[targets])
    off = (other - method.loss(logits, targets)).abs().max().item()
    return f"losses change by up to {off:g} when classes are renamed" if off > 1e-9 else ""


def trained(method: Method) -> str:
    """Two runs of it have the same bits, and the labels, first weights and order of CE."""
    one, two, ce = _run(method.name), _run(method.name), _run("ce")
    if one.status == "failed":
        return str((one.error or {}).get("message"))
    if one.science() != two.science():
        return "two runs of one seed differ: it draws random numbers of its own, or keeps a state"
    shared = ("data", "labels", "split", "init", *(() if method.own_batches else ("order",)))
    parted = [name for name in shared if one.pairing[name] != ce.pairing[name]]
    return f"its runs are not paired with CE by {', '.join(parted)}" if parted else ""


CHECKS = (stated, finite, alone, slope, permuted, trained)


def _logits(method: Method, rows: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (rows, method.num_outputs(CLASSES))
    return 3 * torch.randn(shape, generator=generator, dtype=torch.float64)


def _targets(rows: int) -> Tensor:
    return torch.arange(rows) % CLASSES


def _gradient(method: Method, logits: Tensor) -> Tensor:
    leaf = logits.detach().clone().requires_grad_(True)
    (found,) = torch.autograd.grad(method.loss(leaf, _targets(len(leaf))).sum(), leaf)
    return found


def _run(name: str) -> RunRecord:
    """Two epochs on a few digits."""
    spec = RunSpec(
        dataset=DatasetSpec("digits", train_per_class=20, holdout=0.1),
        model="mlp",
        method=MethodSpec.of(name, baselines.create(name).params()),
        noise="symmetric:0.4",
        seed=0,
        recipe=Recipe(epochs=2, batch_size=32, lr=0.05),
    )
    return train(spec, Context(root=None, device="cpu", threads=1, environment={}))
