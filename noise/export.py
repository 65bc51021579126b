"""Write label sets as the plain files that other code bases read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nlbench.noise import whole
from nlbench.noise.errors import NoiseError, nearest
from nlbench.noise.labels import NoisyLabels


def export(labels: NoisyLabels, path: str | Path) -> Path:
    """Write the noisy labels to ``path``, in the format that its ending names.

    .npy: (N,) int64. .json: a list of integers. .csv: columns ``label,label_noisy`` (and
    ``source`` for open-set noise, -1 where the image stays), one line per sample in order.
    All three are read back by the noise kind ``file``.
    """
    target = Path(path)
    if target.suffix not in _WRITERS:
        hint = nearest(target.suffix, _WRITERS)
        raise NoiseError(f"{target}: labels are exported to .npy, .json or .csv; {hint}")
    try:
        whole.write_bytes(target, _WRITERS[target.suffix](labels))
    except OSError as error:
        raise NoiseError(f"{target}: cannot be written ({error.strerror or error})") from None
    return target


def _npy(labels: NoisyLabels) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, labels.noisy.astype("<i8"), allow_pickle=False)
    return buffer.getvalue()


def _json(labels: NoisyLabels) -> bytes:
    return (json.dumps(labels.noisy.tolist()) + "\n").encode()


def _csv(labels: NoisyLabels) -> bytes:
    names, columns = ["label", "label_noisy"], [labels.clean, labels.noisy]
    if labels.source is not None:
        names, columns = [*names, "source"], [*columns, labels.source]
    lines = [",".join(names)]
    lines += [",".join(map(str, row)) for row in np.column_stack(columns).tolist()]
    return ("\n".join(lines) + "\n").encode()


_WRITERS: dict[str, Callable[[NoisyLabels], bytes]] = {".npy": _npy, ".json": _json, ".csv": _csv}
