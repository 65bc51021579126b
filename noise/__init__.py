"""Label noise for benchmarks: clean labels in, fingerprinted noisy labels out.

>>> import numpy as np
>>> from nlbench import noise
>>> made = noise.make("pair:0.25", np.arange(100) % 4, num_classes=4, seed=0)
>>> made.realised_rate
0.25
"""

from __future__ import annotations

from nlbench.noise.audit import audit, compare
from nlbench.noise.errors import NoiseError
from nlbench.noise.export import export
from nlbench.noise.labels import NoisyLabels
from nlbench.noise.make import make, needs, verify
from nlbench.noise.models import load_all
from nlbench.noise.registry import (
    FEATURES,
    OUTSIDE,
    Draw,
    Model,
    Option,
    catalogue,
    get,
    is_ours,
    names,
    register,
)
from nlbench.noise.rng import generator
from nlbench.noise.spec import NoiseSpec
from nlbench.noise.task import GENERATOR_VERSION, Task

load_all()

__all__ = [
    "FEATURES",
    "GENERATOR_VERSION",
    "OUTSIDE",
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
    "is_ours",
    "make",
    "names",
    "needs",
    "register",
    "verify",
]

if __name__ != "nlbench.noise":
    raise ImportError("this folder is the package nlbench.noise: import it by that name")
