"""Options that every step has, and how it writes a table."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any


def options(text: str) -> argparse.ArgumentParser:
    """A parser with the options that :mod:`tools.gpu_check.steps` gives to every step."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tables", type=Path, required=True, help="folder for what is found out")
    parser.add_argument("--until", type=float, required=True, help="end by then, s since 1970")
    return parser


def end(args: argparse.Namespace) -> float:
    """``--until`` as a time of ``time.monotonic``."""
    return time.monotonic() + float(args.until) - time.time()


def write(path: Path, values: Any) -> None:
    """JSON, whole or not at all: the step may be killed at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(values, indent=1) + "\n")
    temporary.replace(path)


def read(path: Path) -> Any:
    """What a step wrote, ``None`` if it did not come to that."""
    return json.loads(path.read_text()) if path.is_file() else None
