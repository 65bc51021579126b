"""Keyed, counter-based randomness: the one source of random numbers of the whole project.

Only raw 64-bit words of the Philox generator are used here. NumPy guarantees that they never
change, which it does not guarantee for the distributions of ``Generator``.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError

Words = NDArray[np.uint64]


def generator(*words: str | int) -> np.random.Generator:
    """Return the Philox generator whose key is the SHA-256 of ``words``.

    The words are hashed as a JSON list, so ``("1", 2)`` and ``("12",)`` or ``(1, 2)`` differ.
    Equal words give equal streams on every platform; other words give independent ones.
    """
    for word in words:
        if isinstance(word, bool) or not isinstance(word, (str, int, np.integer)):
            raise NoiseError(f"generator: word {word!r} is neither a string nor an integer")
    plain = [word if isinstance(word, str) else int(word) for word in words]
    digest = hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def raw(rng: np.random.Generator, size: int) -> Words:
    """Return ``size`` raw words, uniform on the 64-bit integers."""
    words: Words = rng.bit_generator.random_raw(size)
    return words


def unit(words: Words) -> NDArray[np.float64]:
    """Map words to multiples of 2^-53 in [0, 1)."""
    result: NDArray[np.float64] = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return result


def below(words: Words, bound: int) -> NDArray[np.int64]:
    """Map words to integers in [0, bound); the bias is below bound * 2^-32."""
    scaled = (words >> np.uint64(32)) * np.uint64(bound)
    return (scaled >> np.uint64(32)).astype(np.int64)
