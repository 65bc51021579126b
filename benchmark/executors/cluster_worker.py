"""What the workers of a cluster run: a check of what is installed there, and training.

They share no folder with the caller, so they return the texts of records and write nothing. What is
sent and returned is plain, so that it can be read where another version of nlbench, or none, is.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nlbench.baselines import MethodError
from nlbench.benchmark import datasets, models
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.executor import Pack
from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.machine.device import check_precision, resolve
from nlbench.benchmark.machine.version import version
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.method_source import method_source
from nlbench.benchmark.runs.part_sources import part_sources
from nlbench.benchmark.runs.run import train_pack
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.noise import NoiseError

Facts = dict[str, str]
DEVICE = "device"
# Where a worker sends the record of a run that hangs; seconds after that its process ends.
TOPIC, FAREWELL = "nlbench-records", 2.0
# What decides the bits of a run.
CODE = ("noise", "baselines", "benchmark")
# A worker of several threads may be given several tasks at once, and torch's switches are those of
# the whole process.
_TURN = threading.Lock()


@dataclass(frozen=True)
class Need:
    """What a worker must have to train some runs.

    Attributes:
        data: names of data sets.
        methods: names of methods.
        models: names of networks.
        parts: runs that have every noise model, network and recipe between them.
        root: folder of data sets, ``None`` = the default one of each machine.
        device: that trains.
        download: whether data sets may be fetched.
    """

    data: tuple[str, ...]
    methods: tuple[str, ...]
    models: tuple[str, ...]
    parts: tuple[RunSpec, ...]
    root: Path | None
    device: str
    download: bool

    @classmethod
    def of(cls, specs: Sequence[RunSpec], context: Context, download: bool) -> Need:
        """What these runs need."""
        return cls(
            tuple(sorted({name for spec in specs for name in spec.dataset.names})),
            tuple(sorted({spec.method.name for spec in specs})),
            tuple(sorted({spec.model for spec in specs})),
            tuple({(spec.noise, spec.model, spec.recipe): spec for spec in specs}.values()),
            context.root,
            context.device,
            download,
        )


def call_elsewhere(function: Callable[..., Any], *args: Any) -> tuple[Callable[..., Any], bytes]:
    """A function of the standard library and its argument that come to ``function(*args)``.

    A scheduler unpickles the tasks it passes on. This one it can, also where it has no nlbench; a
    worker without nlbench fails at the task, with a message.
    """
    return pickle.loads, pickle.dumps(_Call(function, args))


class _Call:
    """Unpickling it is the call."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def facts(need: Need) -> Facts:
    """What this machine has of it, in words that are equal on two machines that may share runs."""
    return {
        "nlbench": f"{version()} (code {code()[:12]})",
        "torch": torch.__version__.partition("+")[0],  # builds for a CPU and for CUDA go together
        "numpy": np.__version__,
        **{f"method {name!r}": _words(_method, name) for name in need.methods},
        **_parts(need),
        **{f"data set {name!r}": _words(_data, name, need) for name in need.data},
        **{f"weights of {name!r}": _words(_weights, name, need) for name in need.models},
        DEVICE: _words(_device, need),
    }


def usable(found: Facts, wanted: Facts) -> str:
    """Why a machine may not share the runs of another, in words; empty if it may.

    Args:
        found: of the machine.
        wanted: of the one that writes the records.
    """
    expected = {**wanted, DEVICE: ""}  # the writer need not have one that trains
    return "; ".join(
        f"{what} {found.get(what, 'unknown')}" + (f", here {here}" if here else "")
        for what in dict.fromkeys((*expected, *found))
        if found.get(what) != (here := expected.get(what, ""))
    )


@cache
def code() -> str:
    """SHA-256 of the source files that decide the bits of a run, in hex.

    Kept as it was when it was first asked for: what is imported does not change with its file.
    """
    digest = hashlib.sha256()
    root = Path(__file__).parents[2]
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def trained(packs: Sequence[Pack], context: Context) -> list[bytes]:
    """Train packs of runs one after the other: the texts of their records.

    Raises:
        BackendError: the backend does not work here.
    """
    keep_memory()
    train = train_pack
    if context.run_timeout is not None:
        train = partial(train_pack, hung=_giving_up())
    with _TURN:
        return [record.to_json().encode() for pack in packs for record in train(pack, context)]


def _giving_up() -> Callable[[RunRecord], None]:
    """What ends this process, for nothing else ends its run, and sends that one's record first."""
    from distributed import get_worker

    return partial(_give_up, get_worker().log_event)  # only the thread of a task knows its worker


def _give_up(tell: Callable[[str, bytes], None], record: RunRecord) -> None:
    tell(TOPIC, record.to_json().encode())
    time.sleep(FAREWELL)
    sys.stderr.write(f"nlbench: {record.spec} hangs: its process is ended\n")
    sys.stderr.flush()
    os._exit(1)


def _words(ask: Callable[..., str], *args: Any) -> str:
    try:
        return ask(*args)
    except (UserError, MethodError, NoiseError, OSError) as error:
        return f"is not to be had ({' '.join(str(error).split())})"


def _method(name: str) -> str:
    return method_source(name) or "version 1"


def _parts(need: Need) -> Facts:
    """The sources of all parts that are from outside."""
    found: Facts = {}
    for spec in need.parts:
        try:
            found |= part_sources(spec)
        except (UserError, MethodError, NoiseError) as error:
            found[f"a part of {spec}"] = f"is not to be had ({' '.join(str(error).split())})"
    return found


def _data(name: str, need: Need) -> str:
    return datasets.find(name, need.root, need.download).fingerprint[:16]


def _weights(name: str, need: Need) -> str:
    file = models.weights_file(name, need.root)
    return "none" if file is None else hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _device(need: Need) -> str:
    device = resolve(need.device)
    for precision in {spec.recipe.precision for spec in need.parts}:
        check_precision(precision, device)
    return ""
