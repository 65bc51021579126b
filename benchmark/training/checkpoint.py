"""Checkpoints: everything a run needs to go on, in one file with a digest of itself.

A checkpoint is written at the end of an epoch, beside the records of its store, and is removed when
the run's record is written. It goes with one run, one source of its method and one kind of machine:
another one would go on with other last digits, so it is set aside and the run begins anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from nlbench.benchmark.spec.canonical_json import canonical_json
from nlbench.noise import whole

HEAD = b"nlbench-checkpoint-1\n"


class LeftOff(BaseException):
    """A run was asked to stop, and its checkpoint is written: a later call goes on from it.

    No Exception, for the run has neither ended nor failed.
    """


@dataclass
class Checkpoint:
    """The checkpoint of one run.

    Attributes:
        path: of its file.
        identity: what must be equal for a run to go on from it.
        every: seconds between two of them; 0: every epoch.
        stop: once there is this file, the run writes its checkpoint and stops; ``None``: never.
        spent: seconds that earlier calls trained.
        resumed: how often the run went on from a checkpoint.
    """

    path: Path
    identity: Mapping[str, Any]
    every: float
    stop: Path | None = None
    spent: float = 0.0
    resumed: int = 0
    _begun: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether it is time to write one."""
        return self._stopping() or time.monotonic() - self._last >= self.every

    def _stopping(self) -> bool:
        return self.stop is not None and self.stop.exists()

    def save(self, content: Mapping[str, Any]) -> None:
        """Write tensors, numbers, strings, lists and dicts of them, in place of the last one.

        Raises:
            LeftOff: it is written, and the run is to stop.
        """
        spent = self.spent + time.monotonic() - self._begun
        body = {"identity": canonical_json(self.identity), "spent": spent, "resumed": self.resumed}
        buffer = io.BytesIO()
        torch.save({**body, "content": dict(content)}, buffer)
        data = buffer.getvalue()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(
            self.path, HEAD + hashlib.sha256(data).hexdigest().encode() + b"\n" + data
        )
        self._last = time.monotonic()
        if self._stopping():
            raise LeftOff

    def load(self) -> Mapping[str, Any] | None:
        """What the last one holds, on the CPU; ``None`` if there is none that fits."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        found = _parsed(text)
        if found is None:
            self._set_aside("is damaged")
            return None
        if found["identity"] != canonical_json(self.identity):
            self._set_aside("was made by other software, another machine or another method source")
            return None
        self.spent, self.resumed = found["spent"], found["resumed"] + 1
        content: Mapping[str, Any] = found["content"]
        return content

    def remove(self) -> None:
        """Remove the file, if there is one."""
        self.path.unlink(missing_ok=True)

    def _set_aside(self, why: str) -> None:
        there = self.path.with_suffix(".aside")
        os.replace(self.path, there)  # noqa: PTH105  # atomic also where the target exists
        line = f"nlbench: checkpoint {self.path} {why}: moved to {there.name}, the run begins anew"
        sys.stderr.write(line + "\n")


@dataclass(frozen=True)
class Checkpoints:
    """Where the runs of a store write their checkpoints, and how often.

    Attributes:
        folder: of the files.
        minutes: between two of a run.
    """

    folder: Path
    minutes: float

    def of(self, run_id: str, identity: Mapping[str, Any], stop: Path | None = None) -> Checkpoint:
        """The checkpoint of a run; ``stop``: see :class:`Checkpoint`."""
        own = {**identity, "run": run_id}
        return Checkpoint(self.path(run_id), own, 60 * self.minutes, stop)

    def path(self, run_id: str) -> Path:
        """The file of a run."""
        return self.folder / f"{run_id}.pt"


def _parsed(text: bytes) -> dict[str, Any] | None:
    """The content of a file that is whole."""
    if not text.startswith(HEAD):
        return None
    digest, _, data = text[len(HEAD) :].partition(b"\n")
    if hashlib.sha256(data).hexdigest().encode() != digest:
        return None
    found: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return found
