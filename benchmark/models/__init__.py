"""Networks, all without dropout, all ending in ``head``, an ``nn.Linear``."""

from benchmark.models import cnn, mlp, resnet  # noqa: F401  (register)
from benchmark.models.init import init_fingerprint, initialise
from benchmark.models.registry import (
    Classifier,
    ModelInfo,
    build,
    check_name,
    info,
    names,
)

__all__ = [
    "Classifier",
    "ModelInfo",
    "build",
    "check_name",
    "info",
    "init_fingerprint",
    "initialise",
    "names",
]
