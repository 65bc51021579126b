"""One way to write JSON, so that a digest of it is an identity."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """The one text of a plain value: sorted keys, no spaces, ASCII, no NaN.

    Raises:
        ValueError: a float that is not finite (JSON has no word for it; store ``null``).
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_of(value: Any) -> str:
    """SHA-256 (64 hex digits) of :func:`canonical_json` of ``value``."""
    return sha256_of_text(canonical_json(value))


def sha256_of_text(text: str) -> str:
    """SHA-256 (64 hex digits) of a text that is canonical already."""
    return hashlib.sha256(text.encode()).hexdigest()
