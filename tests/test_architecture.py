"""Holds the design: who may import whom, no global randomness, no path of one machine.

Everything is read from the syntax trees, nothing is imported.  Each rule is a function from a
parsed module to complaints, so that a second set of tests shows, on made-up modules, that it can
complain.
"""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("noise", "baselines", "benchmark", "reports", "tools")

# Import names that differ from the name of the distribution.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "markdown_it": "markdown-it-py"}
# What each package may use from outside the project; None = any declared dependency.
THIRD_PARTY: dict[str, set[str] | None] = {
    "noise": {"numpy", "scipy"},
    "baselines": {"torch"},
    "benchmark": None,
    "tools": None,
    "reports": {
        "numpy",
        "scipy",
        "pandas",
        "matplotlib",
        "seaborn",
        "tabulate",
        "jinja2",
        "markdown_it",
        "joblib",  # processes that read records and write figures
        "tqdm",  # and how far they are
        "orjson",  # what they read records with, where it is installed
    },
}

# The schema of a record, and the store that holds records.
REPORTS_SEE = {
    f"benchmark.{name}" for name in ("record", "store", "spec", "recipe", "canonical", "errors")
}
# A method is arithmetic on tensors: it has no business with files, processes or the network.
FILES = {"io", "os", "pickle", "shutil", "socket", "subprocess", "tempfile", "urllib"}
PATH_CALLS = {"open", "read_text", "read_bytes", "write_text", "write_bytes"}


@dataclass(frozen=True)
class Import:
    """One imported module, and whether importing the importer runs it."""

    target: str
    line: int
    at_once: bool


@dataclass(frozen=True)
class Module:
    """One source file of ours, parsed."""

    name: str
    tree: ast.Module
    known: frozenset[str]

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree, self.known))


def _imports(node: ast.AST, known: frozenset[str], at_once: bool = True) -> Iterator[Import]:
    """Every import below ``node``; ``from a import b`` is ``a.b`` where that is a module."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, at_once) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            for target in dict.fromkeys(
                full if (full := f"{base}.{alias.name}") in known else base for alias in child.names
            ):
                yield Import("." * child.level + target, child.lineno, at_once)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for part in child.body:
                yield from _imports(ast.Module([part], []), known, at_once=False)
            for part in child.orelse:
                yield from _imports(ast.Module([part], []), known, at_once)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, known, at_once and not inside)


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _load() -> dict[str, Module]:
    paths = {_name(p): p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))}
    known = frozenset(paths)
    return {
        name: Module(name, ast.parse(path.read_text("utf-8"), str(path)), known)
        for name, path in paths.items()
    }


MODULES = _load()


# --- rules: each yields one line per fault --------------------------------------------------------


def _is(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def layers(module: Module) -> Iterator[str]:
    """Who may import whom among our packages."""
    for found in module.imports:
        target = found.target
        ours = target.partition(".")[0]
        where = f"{module.name}:{found.line} imports {target}"
        if target.startswith("."):
            yield f"{where}: relative"
        elif ours == "tests" or (ours == "tools" and module.package != "tools"):
            yield f"{where}: the packages know nothing of their {ours}"
        elif ours not in PACKAGES or module.package == "tools":
            continue
        elif _is(target, "benchmark.cli") and not (
            _is(module.name, "benchmark.cli") or module.name == "benchmark.__main__"
        ):
            yield f"{where}: the command line is the top, nothing imports it"
        elif ours == module.package or _is(module.name, "benchmark.cli"):
            continue
        elif module.package in ("noise", "baselines"):
            yield f"{where}: {module.package} imports nothing of ours"
        elif module.package == "benchmark" and ours == "reports":
            yield f"{where}: only the command line knows the reports"
        elif module.package == "reports" and target not in REPORTS_SEE:
            yield f"{where}: reports see only {', '.join(sorted(REPORTS_SEE))}"


def outside(module: Module) -> Iterator[str]:
    """What each package may use from outside the project."""
    allowed = THIRD_PARTY[module.package]
    for found in module.imports:
        top = found.target.partition(".")[0]
        if top in PACKAGES or top in sys.stdlib_module_names or not top:
            continue
        if allowed is not None and top not in allowed:
            yield f"{module.name}:{found.line} imports {top}: {module.package} may use {allowed}"


def no_files_in_methods(module: Module) -> Iterator[str]:
    """Methods read and write nothing."""
    if module.package != "baselines":
        return
    for found in module.imports:
        if found.target.partition(".")[0] in FILES:
            yield f"{module.name}:{found.line} imports {found.target}: methods touch no files"
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        dotted = _dotted(node.func)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if dotted in ("open", "torch.load", "torch.save") or method in PATH_CALLS:
            yield f"{module.name}:{node.lineno} calls {dotted or method}(): methods touch no files"


# Drawing functions of torch that use its global generator unless they are handed one.
TORCH_DRAWS = {"rand", "randn", "randint", "randperm", "bernoulli", "multinomial", "normal"}
TORCH_GLOBAL = {"manual_seed", "seed", "set_rng_state", "get_rng_state", "initial_seed"}
NUMPY_OWN = {"Generator", "BitGenerator", "Philox", "SeedSequence"}


def _dotted(node: ast.AST) -> str:
    """``np.random.seed`` for that expression, empty for any other kind."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def no_global_randomness(module: Module) -> Iterator[str]:
    """Randomness comes from generators that are passed, never from a library's global state."""
    for found in module.imports:
        if found.target in ("random", "numpy.random", "torch.random"):
            yield f"{module.name}:{found.line} imports {found.target}"
    for node in ast.walk(module.tree):
        line = f"{module.name}:{getattr(node, 'lineno', 0)}"
        words = _dotted(node).split(".")
        if words[:2] in (["np", "random"], ["numpy", "random"]) and len(words) == 3:
            if words[2] not in NUMPY_OWN:
                yield f"{line} uses {'.'.join(words)}"
        elif words[0] == "torch" and words[-1] in TORCH_GLOBAL:
            yield f"{line} uses {'.'.join(words)}"
        if isinstance(node, ast.Call) and (called := _dotted(node.func).split("."))[0] == "torch":
            handed = any(word.arg in ("generator", None) for word in node.keywords)
            if len(called) == 2 and called[1] in TORCH_DRAWS and not handed:
                yield f"{line} draws with {'.'.join(called)} without a generator"


RULES: tuple[Callable[[Module], Iterator[str]], ...] = (
    layers,
    outside,
    no_files_in_methods,
    no_global_randomness,
)


def cycle(modules: dict[str, Module]) -> list[str]:
    """One circle of imports that run while a module is imported, or an empty list."""
    graph = {
        name: {i.target for i in module.imports if i.at_once and i.target in modules} - {name}
        for name, module in modules.items()
    }
    try:
        tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


# --- the project keeps them -----------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_there_and_was_read(package: str) -> None:
    assert package in MODULES
    assert sum(module.package == package for module in MODULES.values()) >= 3


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Callable[[Module], Iterator[str]]) -> None:
    assert [fault for module in MODULES.values() for fault in rule(module)] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    assert cycle(MODULES) == []


def test_dependencies_are_what_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["fast"]
    declared = {re.split(r"[^\w.-]", line)[0] for line in lines}
    tops = {i.target.partition(".")[0] for module in MODULES.values() for i in module.imports}
    used = {
        DISTRIBUTIONS.get(top, top) for top in tops - set(PACKAGES) - set(sys.stdlib_module_names)
    }
    assert used - declared == set(), "imported, but not declared in pyproject.toml"
    assert declared - used == set(), "declared in pyproject.toml, but imported nowhere"


# A user's or a machine's own folders, at the start of an absolute path.
MACHINE_PATH = re.compile(rb"(?<![\w./~$}-])/(?:home|root|Users|work|farm|opt|mnt|scratch)/[\w.]")


def test_tracked_files_name_no_path_of_one_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there are no tracked files to look at")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert paths
    faults = [
        f"{path.relative_to(ROOT)}: {line.decode('utf-8', 'replace').strip()[:120]}"
        for path in paths
        if path.is_file()
        for line in path.read_bytes().splitlines()
        if MACHINE_PATH.search(line)
    ]
    assert faults == []


# --- the rules can complain -----------------------------------------------------------------------


def _module(name: str, source: str) -> Module:
    return Module(name, ast.parse(source), frozenset(MODULES))


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (layers, "noise.bad", "import baselines"),
        (layers, "noise.bad", "def f():\n    from benchmark.spec import RunSpec"),
        (layers, "baselines.bad", "from noise import generator"),
        (layers, "baselines.bad", "from . import ce"),
        (layers, "benchmark.bad", "from reports import ReportError"),
        (layers, "benchmark.bad", "from benchmark import cli"),
        (layers, "benchmark.bad", "from benchmark.cli.main import main"),
        (layers, "benchmark.bad", "import tests.conftest"),
        (layers, "benchmark.bad", "import tools.gpu_check"),
        (layers, "benchmark.cli.bad", "from tools.gpu_check import take"),
        (layers, "tools.bad", "import tests.conftest"),
        (layers, "reports.bad", "import benchmark"),
        (layers, "reports.bad", "from benchmark import training"),
        (layers, "reports.bad", "import noise"),
        (outside, "noise.bad", "import torch"),
        (outside, "noise.bad", "try:\n    import torch.nn\nexcept ImportError:\n    pass"),
        (outside, "baselines.bad", "import numpy as np"),
        (outside, "reports.bad", "from torch import nn"),
        (no_files_in_methods, "baselines.bad", "from os import path"),
        (no_files_in_methods, "baselines.bad", "x = Path('weights').read_bytes()"),
        (no_files_in_methods, "baselines.bad", "x = open('weights')"),
        (no_files_in_methods, "baselines.bad", "x = torch.load('weights')"),
        (no_global_randomness, "noise.bad", "import random"),
        (no_global_randomness, "noise.bad", "from numpy.random import default_rng"),
        (no_global_randomness, "noise.bad", "np.random.seed(0)"),
        (no_global_randomness, "noise.bad", "rng = np.random.default_rng()"),
        (no_global_randomness, "benchmark.bad", "torch.manual_seed(0)"),
        (no_global_randomness, "benchmark.bad", "torch.cuda.manual_seed(0)"),
        (no_global_randomness, "benchmark.bad", "x = torch.randperm(10)"),
    ],
)
def test_rule_finds_what_it_forbids(
    rule: Callable[[Module], Iterator[str]], name: str, source: str
) -> None:
    assert len(list(rule(_module(name, source)))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("noise.good", "import numpy as np\nfrom noise.rng import generator\nimport json"),
        ("noise.good", "def f(rng: np.random.Generator): return rng.random()"),
        ("baselines.good", "import torch\nfrom baselines.method import Method"),
        ("benchmark.good", "import noise, baselines\nx = torch.randperm(9, generator=g)"),
        ("benchmark.cli.good", "import reports\nfrom benchmark.cli import options"),
        ("benchmark.__main__", "from benchmark.cli import main"),
        ("reports.good", "from benchmark.store import Store\nimport pandas as pd"),
    ],
)
def test_rules_allow_what_the_design_allows(name: str, source: str) -> None:
    assert [fault for rule in RULES for fault in rule(_module(name, source))] == []


def test_cycles_are_found_at_module_level_only() -> None:
    known = frozenset({"noise.a", "noise.b"})
    later = "def f():\n    import noise.a\nif TYPE_CHECKING:\n    import noise.a"

    def pair(source: str) -> dict[str, Module]:
        first = Module("noise.a", ast.parse("from noise import b"), known)
        return {"noise.a": first, "noise.b": Module("noise.b", ast.parse(source), known)}

    assert set(cycle(pair("import noise.a"))) == {"noise.a", "noise.b"}
    assert cycle(pair(later)) == []


@pytest.mark.parametrize("folder", ["home", "root", "work", "opt"])
def test_machine_paths_are_recognised(folder: str) -> None:
    assert MACHINE_PATH.search(f'x = "/{folder}/someone/data"'.encode())
    assert not MACHINE_PATH.search(f"https://example.org/{folder}/page".encode())
    assert not MACHINE_PATH.search(b"/usr/share/datasets/fashion-mnist/")
