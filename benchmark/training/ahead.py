"""One step ahead: a second thread makes the next item while the present one is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Executor, wait
from typing import Final, TypeVar

T = TypeVar("T")


class _End:
    """Marks the end of the items: StopIteration cannot be passed on as a result."""


END: Final = _End()


def one_ahead(items: Iterator[T], thread: Executor) -> Generator[T, None, None]:
    """The same items in the same order, each made by ``thread`` before it is asked for.

    At most one item is made and not used yet. What making an item raises is raised where that item
    would have been. Closed early, it waits for the item being made, so that whoever owns ``items``
    may go on with them.
    """
    following = thread.submit(next, items, END)
    try:
        while not isinstance(item := following.result(), _End):
            following = thread.submit(next, items, END)
            yield item
    finally:
        if not following.cancel():
            wait([following])
