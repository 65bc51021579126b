"""The LaTeX compiles as it is, with whatever names users chose."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reports

A = [90.0, 91.0, 90.5, 92.0, 91.5]
B = [88.1, 89.2, 88.3, 90.4, 89.4]
LINES = ("clean", "symmetric:0.2", "asymmetric:0.4:map=block5")


@pytest.fixture(name="tex")
def _tex() -> Callable[[Path, str], str]:
    for tool, package in (
        ("pdflatex", "texlive-latex-recommended"),
        ("pdftotext", "poppler-utils"),
    ):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian: {package})")

    def compile_(folder: Path, name: str) -> str:
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
        text = ["pdftotext", "-layout", f"{name}.pdf", "-"]
        return subprocess.run(text, cwd=folder, capture_output=True, check=True).stdout.decode()

    return compile_


def test_every_table_and_figure_compiles_and_shows_its_numbers(
    make_study: Callable[..., Any], tex: Callable[[Path, str], str], tmp_path: Path
) -> None:
    odd = "50 % of {a_b} & $x^2$ #1 \\ ~ <b> | `c` “q” -- 中文 é ρ"
    values = {(m, line): v for line in LINES for m, v in (("ce", B), ("gce", A))}
    made = make_study(values, title=odd, description=odd, name="a_b %", titles={"ce": "C_E & $"})
    for record in list(made.records):
        spec = record.spec
        made.change(spec.method.name, spec.noise, spec.seed, data_label=f"Digits {odd}")
    made.records = made.records[:-1]
    reports.build(made.study, made.records, tmp_path)
    alone = tex(tmp_path, "accuracy-document")
    assert "91.00 ± 0.79" in alone
    assert "C_E & $" in alone
    whole = tex(tmp_path, "document")
    for words in ("map=block5", "incomplete", "90.40", "+1.92", "mean rank", "p-Holm"[:1]):
        assert words in whole, words
