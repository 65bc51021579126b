"""A stand-in for a card: steps are recorded and replayed on the CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from nlbench.benchmark.training.cuda_graph_slot import GraphRunner


class _Stream:
    """A stream of a card that does everything at once."""

    def __init__(self, _device: Any = None) -> None:
        pass

    def wait_stream(self, _other: Any) -> None:
        pass

    def synchronize(self) -> None:
        pass

    def record_event(self) -> _Stream:
        return self


class _Event:
    """A moment on such a stream; any two are 2 ms apart."""

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing

    def record(self, stream: _Stream) -> None:
        assert isinstance(stream, _Stream)

    def elapsed_time(self, _later: _Event) -> float:
        return 2.0


class Recorder:
    """Stands in for CUDA: what is recorded is the last step, and a replay takes it again."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.replays = 0
        self.last: tuple[GraphRunner, Any] | None = None
        original = GraphRunner._step
        recorder = self

        def step(slot: GraphRunner, batch: Any) -> None:
            recorder.last = (slot, batch)
            original(slot, batch)

        class Graph:
            recorded: tuple[GraphRunner, Any] | None = None

            def replay(self) -> None:
                assert self.recorded is not None
                recorder.replays += 1
                original(*self.recorded)

        @contextlib.contextmanager
        def graph(target: Graph, pool: object, stream: _Stream) -> Iterator[None]:
            assert isinstance(stream, _Stream)
            assert pool is not None
            yield
            target.recorded = recorder.last

        patch.setattr(GraphRunner, "_step", step)
        patch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
        for name, fake in {
            "Stream": _Stream,
            "current_stream": _Stream,
            "stream": lambda _stream: contextlib.nullcontext(),
            "graph_pool_handle": object,
            "CUDAGraph": Graph,
            "Event": _Event,
            "graph": graph,
            "mem_get_info": lambda _device=None: (2**30, 2**30),
        }.items():
            patch.setattr(torch.cuda, name, fake)
