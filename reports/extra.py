"""What records hold beside accuracies and curves, kept small until a table asks for it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from benchmark.canonical import canonical_json


def pack(extra: Mapping[str, Any]) -> bytes | None:
    """``RunRecord.extra`` as compressed canonical JSON, ``None`` where it is empty.

    Curves and pictures of a record take some ten kilobytes as Python objects, a tenth of that so.
    """
    return zlib.compress(canonical_json(extra).encode(), 1) if extra else None


def unpack(packed: bytes) -> dict[str, Any]:
    """The inverse of :func:`pack`."""
    values: dict[str, Any] = json.loads(zlib.decompress(packed))
    return values
