"""Methods for learning with noisy labels: one file each, torch only, no data sets and no files."""

from __future__ import annotations

from nlbench.baselines.errors import MethodError
from nlbench.baselines.hyper import HyperParameter, hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import OUTSIDE, PROFILES, create, get, names, register, setting
from nlbench.baselines.state import Batch, Engine, Facts, Mixed, Mixing, Stage, State, Step

__all__ = [
    "OUTSIDE",
    "PROFILES",
    "Batch",
    "Engine",
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

if __name__ != "nlbench.baselines":
    raise ImportError("this folder is the package nlbench.baselines: import it by that name")
