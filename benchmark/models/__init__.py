"""Networks, all without dropout, all ending in ``head``, an ``nn.Linear``."""

from benchmark.models import cnn, mlp, resnet  # noqa: F401  (register)
from benchmark.models.init import init_fingerprint, initialise
from benchmark.models.pretrained import load_weights, weights_file
from benchmark.models.registry import (
    Classifier,
    ModelInfo,
    build,
    check_name,
    fitting,
    get,
    info,
    names,
)

__all__ = [
    "Classifier",
    "ModelInfo",
    "build",
    "check_name",
    "fitting",
    "get",
    "info",
    "init_fingerprint",
    "initialise",
    "load_weights",
    "names",
    "weights_file",
]
