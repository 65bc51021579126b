"""The results folder: ``runs/`` is the store of records, beside ``reports/`` and ``published/``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.store import Store

# What a URL becomes as a path: one slash is lost. One letter and a colon are a drive of Windows.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
RECORDS = "records.tar.gz"  # in the folder of a published study


def store_in(results: Path, create: bool = False) -> Store:
    """The store of a results folder.

    Raises:
        UserError: see :meth:`Store.open`; the message names the folder. Or a URL.
    """
    if _URL.match(str(results)):
        raise UserError(
            f"--results {results}: is a URL; records are kept in a folder, and"
            " `nlbench store push` and `pull` copy them to a URL and back"
        )
    try:
        return Store.open(results / "runs", create=create)
    except UserError as error:
        raise UserError(f"--results {results}: {error}") from error


def check_unpublished(folder: Path) -> None:
    """Refuse to write into the folder of a published study, or below it (UserError)."""
    place = folder.resolve()
    if any((one / RECORDS).is_file() for one in (place, *place.parents)):
        raise UserError(f"folder {folder}: only `nlbench publish SUITE` changes what is there")


def check_writable(results: Path) -> None:
    """Refuse a results folder that a run could not write its record or its log to; makes nothing.

    Raises:
        UserError: there is a file in the way, or a folder that may not be written to.
    """
    for wanted in (results / "runs", results / "logs"):
        place = wanted.absolute()
        there = next(p for p in (place, *place.parents) if os.path.lexists(p))
        if not there.is_dir():
            raise UserError(f"--results {results}: {wanted} cannot be made: {there} is no folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise UserError(f"--results {results}: {there} may not be written to")
