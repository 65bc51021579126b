"""What a suite's TOML holds, read by type and within bounds.

An error names the value, its key, the file, and what would be right.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.spec.run_spec import LARGEST_SEED
from nlbench.noise import NoiseSpec

# A million runs, which take ten seconds to expand; suites of ours are below 5 KB.
MOST_BYTES = 2**20
MOST_RUNS = 1_000_000
MOST_ITEMS = 10_000
# A reader of TOML takes seconds for keys of thousands of parts.
_LONG_KEY = re.compile(r"(?<![\w\"'.-])(?:[\w\"'-]+[ \t]*\.[ \t]*){50}")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def read(path: Path) -> str:
    """The text of a TOML file.

    Raises:
        UserError: no file, too large, or no UTF-8.
    """
    try:
        if path.is_dir():
            raise UserError(f"suite {path}: is a folder; name its TOML file")
        if not path.is_file():  # nor a pipe or a device, which might have no end
            raise UserError(f"suite {path}: no such file")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UserError(f"suite {path}: {size:,} bytes; a suite has at most {MOST_BYTES:,}")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"suite {path}: cannot be read ({error})") from error


def parse(text: str, where: str) -> dict[str, Any]:
    """The values of a TOML text.

    Raises:
        UserError: too long, nested too deeply, or no TOML.
    """
    if len(text) > MOST_BYTES:
        raise UserError(f"{where}: {len(text):,} characters; a suite has at most {MOST_BYTES:,}")
    if _LONG_KEY.search(text):
        raise UserError(f"{where}: not valid TOML for a suite (a key of more than 50 parts)")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise UserError(f"{where}: not valid TOML for a suite (it is nested too deeply)") from None
    except ValueError as error:  # a TOMLDecodeError, or a number of thousands of digits
        raise UserError(f"{where}: not valid TOML ({error})") from error


def plain(value: Any) -> Any:
    """A value as TOML would hold it: tuples, ranges, arrays and Series are lists, paths texts."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # NumPy, pandas, torch
        return plain(value.tolist())
    return str(value) if isinstance(value, Path | NoiseSpec) else value


def table(value: Any, key: str, where: str) -> dict[str, Any]:
    """A table."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: {key} = {short(value)} should be a table")
    return value


def items(value: Any, key: str, where: str) -> list[Any]:
    """A list of at most MOST_ITEMS."""
    if not isinstance(value, list):
        raise UserError(f"{where}: {key} = {short(value)} should be a list")
    if len(value) > MOST_ITEMS:
        raise UserError(f"{where}: {key} has {len(value):,} entries; at most {MOST_ITEMS:,}")
    return value


def text(value: Any, key: str, where: str, lines: bool = False) -> str:
    """A text without control characters; of one line unless ``lines``."""
    if not isinstance(value, str):
        raise UserError(f"{where}: {key} = {short(value)} should be a text")
    found = _NO_TEXT.search(value)
    if found or (not lines and "\n" in value):
        what = "a line break" if found is None else f"the control character {found[0]!a}"
        raise UserError(f"{where}: {key} = {short(value)} has {what} in it")
    return value


def seeds(value: Any, where: str) -> list[int]:
    """``seeds = 5`` is 0..4; a list is itself."""
    if type(value) is int and value > 0:
        if value > MOST_ITEMS:
            raise UserError(f"{where}: seeds = {short(value)} is too many; at most {MOST_ITEMS:,}")
        return list(range(value))
    if isinstance(value, list) and value and all(type(v) is int and v >= 0 for v in value):
        largest = max(items(value, "seeds", where))
        if largest > LARGEST_SEED:
            raise UserError(f"{where}: seed {short(largest)} is above {LARGEST_SEED}")
        return value
    raise UserError(
        f"{where}: seeds = {short(value)} should be a number above 0 or a list of numbers"
    )


def check_keys(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Refuse a key that is not known."""
    for key in values:
        if key not in known:
            raise unknown("key", short(key)[1:-1], known, where)


def check_runs(count: int, where: str) -> None:
    """Refuse more runs than a suite may have."""
    if count > MOST_RUNS:
        raise UserError(f"{where}: {count:,} runs; a suite has at most {MOST_RUNS:,}")


def short(value: Any) -> str:
    """A value in a message: on one line, however long it is."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text):,} characters)"
