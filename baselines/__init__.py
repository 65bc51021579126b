"""Methods for learning with noisy labels: one file each, torch only, no data sets and no files."""

from __future__ import annotations

from baselines.errors import MethodError
from baselines.hyper import HyperParameter, hyper
from baselines.method import Method, Published
from baselines.registry import PROFILES, create, get, names, register, setting

__all__ = [
    "PROFILES",
    "HyperParameter",
    "Method",
    "MethodError",
    "Published",
    "create",
    "get",
    "hyper",
    "names",
    "register",
    "setting",
]
