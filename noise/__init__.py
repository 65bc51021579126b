"""Label noise for benchmarks: clean labels in, fingerprinted noisy labels out.

>>> import numpy as np, noise
>>> made = noise.make("pair:0.25", np.arange(100) % 4, num_classes=4, seed=0)
>>> made.realised_rate
0.25
"""

from __future__ import annotations

from noise.audit import audit, compare
from noise.errors import NoiseError
from noise.export import export
from noise.labels import NoisyLabels
from noise.make import make, needs, verify
from noise.models import load_all
from noise.registry import FEATURES, Draw, Model, Option, catalogue, get, names, register
from noise.rng import generator
from noise.spec import NoiseSpec
from noise.task import GENERATOR_VERSION, Task

load_all()

__all__ = [
    "FEATURES",
    "GENERATOR_VERSION",
    "Draw",
    "Model",
    "NoiseError",
    "NoiseSpec",
    "NoisyLabels",
    "Option",
    "Task",
    "audit",
    "catalogue",
    "compare",
    "export",
    "generator",
    "get",
    "make",
    "names",
    "needs",
    "register",
    "verify",
]
