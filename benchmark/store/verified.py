"""How every record is read from a file: whole by its digest, and sound by its values."""

from __future__ import annotations

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.plain_values import MISSHAPEN, shown
from nlbench.benchmark.store.problems import problems
from nlbench.benchmark.store.record import DamagedRecord, RunRecord

# Reasons in a message.
SHOWN = 3


def verified(
    content: bytes, expected: RunSpec | None = None, digest: str | None = None
) -> RunRecord:
    """The record that a file holds.

    Args:
        content: of the file.
        expected: see :meth:`RunRecord.of`.
        digest: what :func:`proven_digest` found, if it has been asked before.

    Raises:
        DamagedRecord: not whole, or its values do not hold together.
        UserError: a whole record of a newer schema.
    """
    record = RunRecord.from_json(content, expected, digest)
    if found := problems(record):
        raise DamagedRecord(_in_one(found))
    return record


def unwritable(record: RunRecord) -> str:
    """Why no reader would take a record that was just made; empty if it would be taken."""
    try:
        verified(record.to_json().encode(), record.spec)
    except DamagedRecord as error:
        return str(error)
    except MISSHAPEN as error:
        return f"it has no JSON ({shown(error)})"
    return ""


def _in_one(found: list[str]) -> str:
    more = f" (and {len(found) - SHOWN} more)" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more
