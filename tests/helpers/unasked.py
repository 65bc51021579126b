"""An engine for methods with batches of their own that fails whatever it is asked for."""

from __future__ import annotations

from torch import Tensor


class Unasked:
    """To be subclassed: what a test's method may ask for is overridden."""

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        raise AssertionError(("images", ids, words, strong))

    def mode(self, member: int, training: bool) -> None:
        raise AssertionError(("mode", member, training))

    def logits(self, member: int, images: Tensor) -> Tensor:
        raise AssertionError(("logits", member, images))

    def features(self, member: int, images: Tensor) -> tuple[Tensor, Tensor]:
        raise AssertionError(("features", member, images))

    def sweep(self) -> Tensor:
        raise AssertionError("sweep")

    def descend(self, member: int, objective: Tensor) -> None:
        raise AssertionError(("descend", member, objective))

    def follow(self, member: int, source: int, keep: float) -> None:
        raise AssertionError(("follow", member, source, keep))
