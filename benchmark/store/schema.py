"""How the fields of a record are written to its file, and how this grows.

A schema grows by fields alone: none changes its meaning and none goes, so the newest version reads
all older ones. A record states the oldest version that has all of its fields. Records made before
a field existed, or that have nothing in it, therefore keep their bytes and their digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.plain_values import shown

SCHEMA, RUN_ID = "schema", "run_id"
_WRITTEN = "written"
# What the declared type of a field is in a parsed file.
_JSON = {
    "str": str,
    "int": int,
    "float": float,
    "Mapping": dict,
    "RunSpec": dict,
    "None": type(None),
}


class DamagedRecord(ValueError):
    """A record file that cannot be read, is not whole by its digest, or does not hold together."""


@dataclass(frozen=True)
class Written:
    """How a field is written.

    Attributes:
        key: its name in the file, "" for the field's own.
        since: the first schema that has it; it is written only where it is not empty. 0: it is
            written in every record.
        science: whether it is equal for equal specs on equal software and threads.
    """

    key: str = ""
    since: int = 0
    science: bool = True


def written(key: str = "", since: int = 0, science: bool = True) -> dict[str, Any]:
    """The ``metadata`` of a field that is written otherwise than :class:`Written` defaults to."""
    return {_WRITTEN: Written(key, since, science)}


@cache
def _fields(record: type) -> dict[str, Written]:
    """How each field is written, by its name."""
    return {field.name: field.metadata.get(_WRITTEN, Written()) for field in fields(record)}


@cache
def _names(record: type, schema: int) -> dict[str, str]:
    """Key -> field, of those that a schema has."""
    return {how.key or name: name for name, how in _fields(record).items() if how.since <= schema}


@cache
def _kinds(record: type) -> dict[str, tuple[type, ...]]:
    """The types of a field's value in a parsed file, by the field's name."""
    return {
        field.name: tuple(_JSON[word.partition("[")[0]] for word in str(field.type).split(" | "))
        for field in fields(record)
    }


def newest(record: type) -> int:
    """The schema that has all fields of a kind of record."""
    return max(1, *(how.since for how in _fields(record).values()))


def to_values(record: object, everything: bool = True) -> dict[str, Any]:
    """The schema and the fields by key.

    Args:
        record: a dataclass instance.
        everything: whether fields are in it that are not ``science``.
    """
    kind: type = type(record)
    held = [
        (how.key or name, how, value)
        for name, how in _fields(kind).items()
        if (value := getattr(record, name)) or not how.since
    ]
    return {
        SCHEMA: max(1, *(how.since for _, how, _ in held)),
        **{key: _plain(value) for key, how, value in held if everything or how.science},
    }


def from_values(record: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by name, of a record of the newest schema or an older one.

    Raises:
        DamagedRecord: a field that every record has is missing, one has another type than it is
            declared with, or there is one that the stated schema does not have.
        UserError: a newer schema.
    """
    schema, last = values.get(SCHEMA), newest(record)
    if type(schema) is not int or schema < 1:
        raise DamagedRecord(f"schema {shown(schema)} should be a number from 1 to {last}")
    if schema > last:
        raise UserError(
            f"record: schema {shown(schema)} is newer than {last}, the newest that this version of"
            " nlbench reads; update nlbench"
        )
    for key in (RUN_ID, *_names(record, 0)):
        if key not in values:
            raise DamagedRecord(f"not a whole record: {key!r} is missing")
    names, kinds = _names(record, schema), _kinds(record)
    held = {}
    for key, value in values.items():
        if key in names:
            if type(value) not in kinds[names[key]]:
                raise DamagedRecord(f"{key!r} is {shown(value)}")
            held[names[key]] = value
        elif key not in (SCHEMA, RUN_ID):
            raise DamagedRecord(f"schema {schema} has no field {shown(key)}")
    return held


def _plain(value: Any) -> Any:
    """A copy whose tuples, one level down, are lists as in JSON."""
    if isinstance(value, Mapping):
        return {k: list(v) if isinstance(v, tuple) else v for k, v in value.items()}
    return value
