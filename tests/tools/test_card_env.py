"""The GPU machine's environment: what it is to hold, and that ours works without the rest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import card_env

ROOT = Path(__file__).resolve().parents[2]
SOUND: dict[str, str | None] = {
    "python": "3.12",
    "torch": "2.11.0+cpu",
    "torchvision": "0.26.0",
    "numpy": "2.5.2",
    "pandas": "3.1.1",
    **dict.fromkeys(card_env.ABSENT),
}
NEEDED = ["torch", "torchvision", "numpy", "pandas"]
IMPORT_ALL = """
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys({absent}))  # None: importing it fails
import nlbench
for found in pkgutil.walk_packages(nlbench.__path__, "nlbench."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""


def test_pip_is_asked_for_the_cards_packages_and_no_others() -> None:
    asked = card_env.requirements()
    assert {"torch==2.11.0", "torchvision==0.26.0", "numpy==2.5.2", "pyarrow"} <= set(asked)
    names = {card_env._name(line) for line in asked}
    assert {"pandas", "scipy", "matplotlib", "jinja2", "markdown-it-py", "pillow"} <= names
    assert not names & set(card_env.ABSENT)


def test_a_sound_environment_has_no_complaint() -> None:
    assert card_env.wrong(SOUND, NEEDED) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"python": "3.11"}, "python is 3.11, not 3.12"),
        ({"torch": "2.12.0"}, "torch is 2.12.0, not 2.11.0"),
        ({"numpy": None}, "numpy is missing, not 2.5.2"),
        ({"pandas": None}, "pandas is missing"),
        ({"orjson": "3.10"}, "orjson is there, but is not on the GPU machine"),
    ],
)
def test_each_difference_is_named(change: dict[str, str | None], words: str) -> None:
    assert card_env.wrong({**SOUND, **change}, NEEDED) == [words]


def test_bad_words_end_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert card_env.main([str(tmp_path / "new"), "--python", "python9.9"]) == 1
    assert "--python python9.9: no such program" in capsys.readouterr().err
    (tmp_path / "thesis.tex").write_text("mine")
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho 3.12\n")
    fake.chmod(0o755)
    assert card_env.main([str(tmp_path), "--python", str(fake)]) == 1
    assert "holds something else than an environment" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").read_text() == "mine"
    fake.write_text("#!/bin/sh\necho 3.11\n")
    assert card_env.main([str(tmp_path / "new"), "--python", str(fake)]) == 1
    assert "is Python 3.11, not 3.12" in capsys.readouterr().err


def test_every_module_of_ours_imports_without_what_the_card_lacks() -> None:
    absent = [name.replace("-", "_") for name in card_env.ABSENT]
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL.format(absent=absent)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_make_rehearse_is_what_the_weekly_job_calls(tmp_path: Path) -> None:
    job = (ROOT / ".github" / "workflows" / "rehearsal.yml").read_text("utf-8")
    assert re.search(r"^      - run: make rehearse$", job, re.MULTILINE)
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make")
    words = [make, "-n", "rehearse", f"PYTHON={tmp_path}/python3.12"]
    # `make test` hands its own settings down to every make below it.
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    done = subprocess.run(words, cwd=ROOT, env=outside, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert (
        first == f"{tmp_path}/python3.12 tools/card_env.py .card-env --python {tmp_path}/python3.12"
    )
    assert second.strip().startswith(".card-env/bin/python -m tools.gpu_check --device cpu")
