"""The LaTeX compiles as it is, with whatever names users chose."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nlbench import reports
from nlbench.reports.speed.made_up_records import declared, made_up

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

    for package, debian in (("siunitx", "texlive-science"), ("booktabs", "texlive-latex-extra")):
        found = subprocess.run(["kpsewhich", f"{package}.sty"], capture_output=True, check=False)
        if not found.stdout.strip():
            pytest.skip(f"the LaTeX package {package} is not installed (Debian: {debian})")

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
    odd = "50 % of {a_b} & $x^2$ #1 \\ ~ <b> | `c` “q” -- ,, '' 中文 é ρ"
    values = {(m, line): v for line in LINES for m, v in (("ce", B), ("gce", A), ("mae", B[::-1]))}
    titles = {"ce": "C_E & $", "gce": "\\input{x} %{", "mae": "^^M~\\\\ #2 }"}
    made = make_study(values, title=odd, description=odd, name="a_b %", titles=titles)
    for record in list(made.records):
        spec = record.spec
        made.change(spec.method.name, spec.noise, spec.seed, data_label=f"Digits {odd}")
    made.change("mae", "clean", 0, status="diverged", metrics={}, error={"epoch": 1})
    made.records = made.records[:-1]
    reports.build_report(made.study, made.records, tmp_path)
    alone = " ".join(tex(tmp_path, "accuracy-document").split())
    for words in (
        "91.00 ± 0.79", "C_E & $", "\\input{x} %{", "^^M~\\\\ #2 }",
        "50 % of {a_b} & $x^2$ #1 \\ ~ <b>",
        "73.20 ± 35.34‡", "89.33 ± 0.86† 4/5", "map=block5", "Bold: the 95 % best set",
    ):  # fmt: skip
        assert words in alone, words
    whole = " ".join(tex(tmp_path, "document").split())
    for words in ("incomplete", "90.40", "+1.92", "[1.62, 2.22]", "mean rank", "< 0.001"):
        assert words in whole, words


def test_the_table_goes_into_a_paper_with_one_input(
    make_study: Callable[..., Any], tex: Callable[[Path, str], str], tmp_path: Path
) -> None:
    made = make_study({("ce", "clean"): B, ("gce", "clean"): A})
    reports.build_report(made.study, made.records, tmp_path, only="tables")
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage[T1]{fontenc}\n"
        "\\usepackage{booktabs,siunitx}\\sisetup{output-decimal-marker={,}}\n"
        "\\begin{document}\\input{accuracy}\n\\num{1.5}\\end{document}\n"
    )
    text = tex(tmp_path, "paper")
    assert "1,5" in text  # the table's own settings stay inside it


def test_a_table_of_many_methods_is_a_long_one_sorted_by_the_mean(
    tex: Callable[[Path, str], str], tmp_path: Path
) -> None:
    methods = tuple(f"m_{at:02d}" for at in range(14))
    noise = ("clean", *(f"symmetric:0.{rate}" for rate in range(1, 8)))
    study = declared(len(methods) * len(noise) * 3, methods=methods, noise=noise)
    built = reports.build_report(study, made_up(study), tmp_path, only="tables")
    source = (tmp_path / "accuracy.tex").read_text()
    assert "\\begin{landscape}" in source  # eight conditions are too wide for an upright page
    text = tex(tmp_path, "accuracy-document")
    rows = [line.split() for line in text.splitlines() if line.strip().startswith("m_")]
    means = [float(row[-1]) for row in rows]
    assert len(rows) == 14
    assert means == sorted(means, reverse=True)
    page = (tmp_path / "accuracy.md").read_text().splitlines()
    shown = {line.split()[1]: line.split("|")[2:-2] for line in page if line.startswith("| m_")}
    assert list(shown) == [row[0] for row in rows]
    board = built.leaderboard.set_index(["method", "condition"])
    for method, cells in shown.items():
        best = [bool(board.loc[(method, line), "in_best_set"]) for line in noise]
        assert ["**" in cell for cell in cells] == best
    for block in built.results.blocks:
        for condition in block.conditions:
            members = built.results.best(block, condition).members
            table = board.xs(condition.line, level="condition")
            assert set(table.index[table["in_best_set"] == 1]) == members
