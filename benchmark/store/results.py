"""The results folder: ``runs/`` is the store of records, beside ``reports/`` and ``published/``."""

from __future__ import annotations

from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.store import Store

RECORDS = "records.tar.gz"  # in the folder of a published study


def store_in(results: Path, create: bool = False) -> Store:
    """The store of a results folder.

    Raises:
        UserError: see :meth:`Store.open`; the message names the folder.
    """
    try:
        return Store.open(results / "runs", create=create)
    except UserError as error:
        raise UserError(f"--results {results}: {error}") from error
