"""Small specs and a small suite that train in a fraction of a second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nlbench import baselines
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec

# A suite of twelve small runs, as its file has it.
STUDY = """
methods = ["ce", "gce", "drainage"]
noise = ["symmetric:0.4", "instance:0.4"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
holdout = 0.2
[recipe]
epochs = 6
batch_size = 64
lr = 0.05
"""
HERE = Context(root=None, device="cpu", threads=1, environment={"nlbench": "test"})


def tiny(method: str = "ce", **changes: Any) -> RunSpec:
    """Digits, 20 images a class, MLP, two epochs; fields of RunSpec or Recipe can be replaced."""
    recipe = Recipe(epochs=2, batch_size=32, lr=0.05)
    mine = {name: changes.pop(name) for name in list(changes) if hasattr(recipe, name)}
    spec = RunSpec(
        dataset=DatasetSpec("digits", train_per_class=20),
        model="mlp",
        method=MethodSpec.of(method, baselines.create(method, {}).params()),
        noise="symmetric:0.4",
        seed=0,
        recipe=replace(recipe, **mine),
    )
    return replace(spec, **changes)
