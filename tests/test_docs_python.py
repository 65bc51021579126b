"""The examples of docs/python.md and the cells of examples/tour.ipynb, carried out as written."""

from __future__ import annotations

import ast
import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
TOUR = ROOT / "examples" / "tour.ipynb"
NOTEBOOK: dict[str, Any] = json.loads(TOUR.read_text("utf-8"))
LARGEST = 2_000  # characters that a cell may show as text


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the published studies, beside which examples may write."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "published").symlink_to(ROOT / "results" / "published")
    return tmp_path


def test_the_page_shows_what_is_printed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    text = "\n".join(re.findall(r"```pycon\n(.*?)```", PAGE, re.DOTALL))
    examples = doctest.DocTestParser().get_doctest(text, {}, "docs/python.md", None, 0)
    assert len(examples.examples) > 20
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    runner.run(examples, out=said.append)
    assert not runner.failures, "".join(said)


def test_the_notebook_is_clean() -> None:
    code = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert NOTEBOOK["nbformat"] == 4
    assert len(code) < 12
    assert [cell["source"] for cell in code if cell["outputs"] or cell["execution_count"]] == []


def test_the_cells_of_the_notebook_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Jupyter: the last line of a cell is shown as a notebook would."""
    monkeypatch.chdir(place / "examples")
    names: dict[str, Any] = {}
    shown = [_carried_out("".join(cell["source"]), names) for cell in NOTEBOOK["cells"]
             if cell["cell_type"] == "code"]  # fmt: skip
    assert sum(kind == "html" for kind in shown) >= 4
    assert shown[-1] == "png"
    assert names["ran"].complete


def _carried_out(source: str, names: dict[str, Any]) -> str:
    """How the value of a cell's last line is shown: ``html``, ``png``, ``text`` or not at all."""
    *lines, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(compile(source, TOUR.name, "exec"), names)
        return ""
    exec(compile(ast.Module(lines, []), TOUR.name, "exec"), names)
    value = eval(compile(ast.Expression(last.value), TOUR.name, "eval"), names)
    if hasattr(value, "_repr_html_"):
        assert "<table" in value._repr_html_()
        return "html"
    if hasattr(value, "_repr_png_"):
        assert value._repr_png_().startswith(b"\x89PNG")
        return "png"
    assert 0 < len(repr(value)) < LARGEST
    return "text"


def test_the_notebook_runs_in_jupyter(place: Path) -> None:
    """Where the extra ``notebook`` is installed."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    here = {"metadata": {"path": str(place / "examples")}}
    nbclient.NotebookClient(notebook, timeout=600, resources=here).execute()
    assert "image/png" in notebook.cells[-1].outputs[-1]["data"]
