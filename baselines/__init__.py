"""Methods for learning with noisy labels: one file each, torch only, no data sets and no files."""

from __future__ import annotations

from baselines.errors import MethodError
from baselines.hyper import HyperParameter, hyper
from baselines.method import Method, Published
from baselines.registry import PROFILES, create, get, names, register, setting
from baselines.state import Batch, Facts, Mixed, Mixing, Stage, State, Step

__all__ = [
    "PROFILES",
    "Batch",
    "Facts",
    "HyperParameter",
    "Method",
    "MethodError",
    "Mixed",
    "Mixing",
    "Published",
    "Stage",
    "State",
    "Step",
    "create",
    "get",
    "hyper",
    "names",
    "register",
    "setting",
]
