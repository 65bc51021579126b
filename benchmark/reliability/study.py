"""The study that attacks train: a run of it takes a few hundredths of a second."""

from __future__ import annotations

import json
from collections.abc import Sequence

TRAINING = """
seeds = {seeds}
model = "mlp"
[dataset]
name = "digits"
train_per_class = 20
[recipe]
epochs = {epochs}
batch_size = 32
lr = 0.05
"""


def study(
    methods: Sequence[str] = ("ce", "gce"),
    noise: Sequence[str] = ("clean", "symmetric:0.2", "symmetric:0.4"),
    seeds: int = 4,
    epochs: int = 2,
) -> str:
    """The text of its TOML file; by default 24 runs."""
    lists = f"methods = {json.dumps(list(methods))}\nnoise = {json.dumps(list(noise))}"
    return lists + TRAINING.format(seeds=seeds, epochs=epochs)
