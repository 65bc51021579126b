"""Make the environment of the GPU machine on any CPU machine, and check what was made.

The card's machine has the packages below and no network. Whatever passes in this environment finds
there what it needs. Run with any Python >= 3.11:

    python3 tools/card_env.py FOLDER
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.12"
VERSIONS = {"torch": "2.11.0", "torchvision": "0.26.0", "numpy": "2.5.2"}
# For the tests, newest releases.
FURTHER = ("pytest", "hypothesis", "statsmodels", "pyarrow")
# Nothing of ours may need these there.
ABSENT = ("orjson", "html5lib", "playwright", "baycomp", "scikit-posthocs")

# Runs inside the environment: its Python, and the version of each distribution (null if absent).
LOOK = """
import importlib.metadata, json, sys
found = {"python": "%d.%d" % sys.version_info[:2]}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = None
import torch, torchvision
print(json.dumps(found))
"""


def main(words: list[str] | None = None) -> int:
    """Make the environment, or find it made; 1 with the reasons if it is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the environment goes")
    parser.add_argument(
        "--python",
        default=f"python{PYTHON}",
        metavar="PROGRAM",
        help=f"a Python {PYTHON}: a name on the PATH or a path; default: python{PYTHON}",
    )
    args = parser.parse_args(words)
    folder: Path = args.folder
    try:
        if not (folder.exists() and not complaints(folder)):
            make(folder, args.python)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        _say(f"{error}")
        return 1
    wrong = complaints(folder)
    for line in wrong:
        _say(f"{folder}: {line}")
    if not wrong:
        _say(f"{folder}: Python {PYTHON} and packages as on the GPU machine")
    return 1 if wrong else 0


def make(folder: Path, python: str) -> None:
    """Make the environment afresh.

    Raises:
        ValueError: no such Python, one of another version, or a folder that is no environment.
        CalledProcessError: venv or pip failed and printed the reason.
    """
    program = shutil.which(python)
    if program is None:
        raise ValueError(f"--python {python}: no such program; name a Python {PYTHON}")
    ask = [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    version = subprocess.run(ask, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    if version != PYTHON:
        raise ValueError(f"--python {python}: is Python {version}, not {PYTHON}")
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file():
        raise ValueError(f"{folder}: holds something else than an environment; name another folder")
    _say(f"making {folder} with Python {PYTHON} (several GB with PyTorch)")
    subprocess.run([program, "-m", "venv", "--clear", folder], check=True)
    install = [_python(folder), "-m", "pip", "install", "--disable-pip-version-check"]
    subprocess.run([*install, *requirements()], check=True)


def requirements() -> list[str]:
    """What pip is asked for: the pinned, the tests' and what pyproject.toml names beyond them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = [line for line in project["dependencies"] if _name(line) not in ABSENT]
    pinned = [f"{name}=={version}" for name, version in VERSIONS.items()]
    return [*pinned, *bounds, *FURTHER]


def complaints(folder: Path) -> list[str]:
    """What is not as it should be in an environment, one line each."""
    needed = [_name(line) for line in requirements()]
    look = [_python(folder), "-c", LOOK, *needed, *ABSENT]
    try:
        done = subprocess.run(look, text=True, capture_output=True, check=False)
    except OSError as error:
        return [f"its Python does not run ({error.strerror})"]
    if done.returncode:
        reason = (done.stderr.splitlines() or ["no reason given"])[-1]
        return [f"torch cannot be imported ({reason})"]
    return wrong(json.loads(done.stdout), needed)


def wrong(found: dict[str, str | None], needed: list[str]) -> list[str]:
    """The same, from the versions by name."""
    lines = []
    for name, version in {"python": PYTHON, **VERSIONS}.items():
        # A build may carry a local label: 2.11.0+cpu.
        if (found[name] or "").partition("+")[0] != version:
            lines.append(f"{name} is {found[name] or 'missing'}, not {version}")
    rest = [name for name in needed if name not in VERSIONS]
    lines += [f"{name} is missing" for name in rest if found[name] is None]
    lines += [f"{name} is there, but is not on the GPU machine" for name in ABSENT if found[name]]
    return lines


def _name(requirement: str) -> str:
    """The distribution of a requirement: ``numpy`` of ``numpy>=2.0``."""
    for sign in "<>=!~[; ":
        requirement = requirement.partition(sign)[0]
    return requirement


def _python(folder: Path) -> str:
    return str(folder / "bin" / "python")


def _say(line: str) -> None:
    sys.stderr.write(f"card_env: {line}\n")


if __name__ == "__main__":
    sys.exit(main())
