"""Networks, all without dropout, all ending in ``head``, an ``nn.Linear``."""

from nlbench.benchmark.models import (  # noqa: F401  (register)
    cnn,
    mlp,
    resnet,
)
from nlbench.benchmark.models.init import GeneratorFor, init_fingerprint, initialise, redraw
from nlbench.benchmark.models.outside import OUTSIDE, TIMM
from nlbench.benchmark.models.parts import last_parts, parts
from nlbench.benchmark.models.pretrained import load_weights, weights_file
from nlbench.benchmark.models.registry import (
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
    "OUTSIDE",
    "TIMM",
    "Classifier",
    "GeneratorFor",
    "ModelInfo",
    "build",
    "check_name",
    "fitting",
    "get",
    "info",
    "init_fingerprint",
    "initialise",
    "last_parts",
    "load_weights",
    "names",
    "parts",
    "redraw",
    "weights_file",
]
