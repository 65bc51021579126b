"""Holds the design: who may import whom, no global randomness, no path of one machine.

Everything is read from the syntax trees, nothing is imported.  Each rule is a function from a
parsed module to complaints, so that a second set of tests shows, on made-up modules, that it can
complain.
"""

from __future__ import annotations

import ast
import graphlib
import itertools
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("noise", "baselines", "benchmark", "reports")
OURS = {"nlbench", "tools"}

# Import names that differ from the name of the distribution.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "markdown_it": "markdown-it-py"}
# What a package may use from outside the project; others: any declared dependency.
THIRD_PARTY: dict[str, set[str]] = {
    "noise": {"numpy", "scipy"},
    "baselines": {"torch"},
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

# What reports may see: records, what they declare, where they are kept; the writer of files; and
# what ends a process with the one that started it.
REPORTS_SEE = (
    *(f"nlbench.benchmark.{room}" for room in ("spec", "store", "errors", "metrics")),
    "nlbench.benchmark.machine.parent",
    "nlbench.noise.whole",
)
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
        return _package(self.name)

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


def _package(name: str) -> str:
    """``noise`` for ``nlbench.noise.rng``, ``cli``; ``""`` for the rest: the public face."""
    parts = name.split(".")
    if parts[0] != "nlbench":
        return parts[0]
    return parts[1] if parts[1:] and parts[1] in (*PACKAGES, "cli") else ""


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    named = parts if parts[0] in ("nlbench", "tools") else ("nlbench", *parts)
    return ".".join(named[:-1] if named[-1] == "__init__" else named)


def _load() -> dict[str, Module]:
    folders = [ROOT / package for package in (*PACKAGES, "nlbench/api", "nlbench/cli", "tools")]
    found = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    paths = {_name(path): path for path in (*sorted((ROOT / "nlbench").glob("*.py")), *found)}
    known = frozenset(paths)
    return {
        name: Module(name, ast.parse(path.read_text("utf-8"), str(path)), known)
        for name, path in paths.items()
    }


MODULES = _load()


# --- rules: each yields one line per fault --------------------------------------------------------


def _is(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


API = "nlbench.api"


def layers(module: Module) -> Iterator[str]:
    """Who may import whom among our packages."""
    for found in module.imports:
        target, where = found.target, f"{module.name}:{found.line} imports {found.target}"
        if target.startswith("."):
            yield f"{where}: relative"
        elif target.partition(".")[0] in PACKAGES:
            yield f"{where}: to Python this is nlbench.{target}"
        elif _is(target, "tests"):
            yield f"{where}: the packages know nothing of their tests"
        elif _is(target, "tools") and module.package != "tools":
            yield f"{where}: tools/ is for those who work on the project"
        elif _is(target, API) and module.name != "nlbench" and not _is(module.name, API):
            yield f"{where}: what `import nlbench` offers is the top, nothing imports it"
        elif _is(target, "nlbench"):
            yield from (f"{where}: {why}" for why in _between(module.package, target))


def _between(package: str, target: str) -> Iterator[str]:
    """Why a module of a package may not import this one of ours, if it may not."""
    theirs = _package(target)
    if package in ("", "cli", "tools") or theirs == package:
        return
    if target == "nlbench.outside":  # it imports nothing of ours
        return
    if theirs in ("", "cli"):
        yield "the public face and the command line are the top, nothing imports them"
    elif package in ("noise", "baselines"):
        yield f"{package} imports nothing of ours"
    elif package == "benchmark" and theirs == "reports":
        yield "only the public face knows the reports"
    elif package == "reports" and not any(_is(target, room) for room in REPORTS_SEE):
        yield f"reports see only {', '.join(REPORTS_SEE)}"


def outside(module: Module) -> Iterator[str]:
    """What each package may use from outside the project."""
    allowed = THIRD_PARTY.get(module.package)
    for found in module.imports:
        top = found.target.partition(".")[0]
        if top in OURS or top in sys.stdlib_module_names or not top:
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


# The writer itself; a file of the kernel; files that a benchmark makes for itself and throws away.
OWN_WRITERS = (
    "nlbench.noise.whole",
    "nlbench.cli.run_log",  # grows line by line, to be read while a run goes on
    "nlbench.benchmark.machine.peak",
    "nlbench.cli.streams",  # the null device
    "nlbench.noise.bench_files",
    "nlbench.reports.speed.bench",
    "nlbench.growth",
    "nlbench.benchmark.reliability",
)
SAVERS = {"savefig", "save", "savez", "savez_compressed", "to_csv"}


def one_writer(module: Module) -> Iterator[str]:
    """Files are written by ``nlbench.noise.whole`` alone, so that each is whole or not there."""
    if module.package == "tools" or any(_is(module.name, own) for own in OWN_WRITERS):
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
            continue
        called = _dotted(node.func) or f"?.{getattr(node.func, 'attr', '')}"
        name = called.rpartition(".")[2]
        written = [w.value for w in (*node.args, *(k.value for k in node.keywords))
                   if isinstance(w, ast.Constant)]  # fmt: skip
        bad = (
            (name in ("write_text", "write_bytes") and called not in (f"whole.{name}", name))
            or (name == "open" and any(m in ("w", "wb", "a", "ab", "x", "xb") for m in written))
            or (name in SAVERS and node.args and _dotted(node.args[0]).endswith("path"))
        )
        if bad or name in ("NamedTemporaryFile", "mkstemp"):
            yield f"{module.name}:{node.lineno} calls {called}(): files are written by noise.whole"


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


def no_name_for_two(module: Module) -> Iterator[str]:
    """A name that a package loads when asked for must not be that of a module in the package.

    Importing the module would set the name to the module, for everybody, from then on.
    """
    lazy = any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in module.tree.body)
    for node in module.tree.body if lazy else ():
        if isinstance(node, ast.Assign) and _dotted(node.targets[0]) == "__all__":
            for name in ast.literal_eval(node.value):
                if f"{module.name}.{name}" in module.known:
                    yield f"{module.name}: {name} is a module of it too"


TOPICS = "nlbench.reports.topics"
# Made-up records for timings hold what topics read.
NO_CORE = (TOPICS, "nlbench.reports.speed")
TOPIC_WORDS = ("open_set", "openset", "detection", "test_sets", "sweeps", "drainage")


def core_names_no_topic(module: Module) -> Iterator[str]:
    """The core of the reports imports the registry of topics alone, and nothing is named for one.

    ``classes``, ``published`` and ``sweep`` are topics too, but words with other meanings beside.
    """
    if module.package != "reports" or any(_is(module.name, room) for room in NO_CORE):
        return
    for found in module.imports:
        if _is(found.target, TOPICS) and found.target != f"{TOPICS}.registry":
            yield f"{module.name}:{found.line} imports {found.target}: ask the registry"
    for node in ast.walk(module.tree):
        name = ""
        if isinstance(node, ast.Attribute):
            name = node.attr
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name.lower()
        elif isinstance(node, ast.AnnAssign):
            name = _dotted(node.target)
        if any(word in name for word in TOPIC_WORDS):
            yield f"{module.name}:{getattr(node, 'lineno', 0)} names a topic: {name}"


def _identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module gives or uses, and its line; texts are no names."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield name, getattr(node, "lineno", 0)


def no_method_in_the_engine(module: Module) -> Iterator[str]:
    """Drainage is one method of many: the engine knows extra outputs, and names none of them."""
    if module.package not in ("benchmark", "reports") or _is(module.name, TOPICS):
        return
    for name, line in (*_identifiers(module.tree), (module.name, 0)):
        if "drain" in name.lower():
            yield f"{module.name}:{line} has the name {name}"


RULES: tuple[Callable[[Module], Iterator[str]], ...] = (
    layers,
    outside,
    no_files_in_methods,
    one_writer,
    no_global_randomness,
    no_name_for_two,
    core_names_no_topic,
    no_method_in_the_engine,
)


def cycles(modules: dict[str, Module]) -> list[str]:
    """Circles of imports that run while a module is imported, between the parts of any folder.

    A part of a folder is a file or a folder in it. So no file imports itself through others, and
    no two folders import each other, on any level.
    """
    graphs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, module in modules.items():
        for found in module.imports:
            if found.at_once and found.target in modules and found.target != name:
                folder, mine, theirs = _parting(name, found.target)
                graphs[folder][mine].add(theirs)
    circles = []
    for folder, graph in sorted(graphs.items()):
        try:
            tuple(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            circles.append(f"{folder}: {' <- '.join(error.args[1])}")
    return circles


def _parting(first: str, second: str) -> tuple[str, str, str]:
    """The folder that two modules share, and the parts of it that they belong to."""
    a, b = first.split("."), second.split(".")
    shared = sum(
        1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))
    )
    part = [".".join(words[shared : shared + 1]) or "__init__" for words in (a, b)]
    return ".".join(a[:shared]), part[0], part[1]


# --- the project keeps them -----------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_there_and_was_read(package: str) -> None:
    assert f"nlbench.{package}" in MODULES
    assert sum(module.package == package for module in MODULES.values()) >= 3


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Callable[[Module], Iterator[str]]) -> None:
    assert [fault for module in MODULES.values() for fault in rule(module)] == []


def test_no_circle_between_files_or_folders() -> None:
    assert cycles(MODULES) == []


# Folders of tests that mirror none of sources: what tests share and read, and a test that starts a
# SLURM.
OF_TESTS = {"tests/data", "tests/helpers", "tests/slurm"}
# Sources whose tests are elsewhere: the contracts' tests write templates out and try them.
TRIED_ELSEWHERE = {"tests/benchmark/templates"}


def _folders(*names: str) -> set[str]:
    """Folders that hold more than the file of a package."""
    files = (path for name in names for path in (ROOT / name).rglob("*.py"))
    own = (path for path in files if path.stem not in ("__init__", "__main__", "conftest"))
    return {path.parent.relative_to(ROOT).as_posix() for path in own}


def unmirrored(sources: set[str], tests: set[str]) -> list[str]:
    """Folders of tests without one of sources, and the other way round."""
    expected = {f"tests/{folder}" for folder in sources}
    return sorted((tests - expected - OF_TESTS) | (expected - tests - TRIED_ELSEWHERE))


def test_folders_of_tests_mirror_those_of_the_sources() -> None:
    sources = _folders(*PACKAGES, "nlbench", "tools")
    tests = _folders("tests") - {"tests"}
    assert unmirrored(sources, tests) == []
    assert unmirrored({"a", "b/c"}, {"tests/a", "tests/b"}) == ["tests/b", "tests/b/c"]


def sharing(name: str, tree: ast.Module) -> Iterator[str]:
    """What several tests use is in tests/helpers, not in one of them."""
    for found in _imports(tree, frozenset()):
        if _is(found.target, "tests") and not _is(found.target, "tests.helpers"):
            yield f"{name}:{found.line} imports {found.target}"


def test_tests_import_helpers_and_not_each_other() -> None:
    paths = sorted((ROOT / "tests").rglob("*.py"))
    found = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}
    assert [fault for n, text in found.items() for fault in sharing(n, ast.parse(text))] == []
    assert list(sharing("x", ast.parse("from tests.noise.test_a import b"))) != []


def test_dependencies_are_what_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    known = ("fast", "remote", "dask", "completion")
    lines = project["dependencies"] + [line for name in known for line in extras[name]]
    declared = {re.split(r"[^\w.-]", line)[0] for line in lines}
    tops = {i.target.partition(".")[0] for module in MODULES.values() for i in module.imports}
    used = {DISTRIBUTIONS.get(top, top) for top in tops - OURS - set(sys.stdlib_module_names)}
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
        (layers, "nlbench.noise.bad", "import nlbench.baselines"),
        (layers, "nlbench.noise.bad", "from nlbench import baselines"),
        (layers, "nlbench.noise.bad", "def f():\n    from nlbench.benchmark.spec import recipe"),
        (layers, "nlbench.noise.bad", "import noise"),
        (layers, "nlbench.baselines.bad", "from nlbench.noise import generator"),
        (layers, "nlbench.baselines.bad", "from . import method"),
        (layers, "nlbench.benchmark.bad", "from nlbench.reports import ReportError"),
        (layers, "nlbench.benchmark.bad", "from nlbench import cli"),
        (layers, "nlbench.benchmark.bad", "from nlbench.cli.main import main"),
        (layers, "nlbench.benchmark.bad", "import nlbench"),
        (layers, "nlbench.benchmark.bad", "from nlbench.studies import study_of"),
        (layers, "nlbench.reports.bad", "from nlbench import site"),
        (layers, "nlbench.benchmark.bad", "import tests.conftest"),
        (layers, "nlbench.benchmark.bad", "from tools import gpu_check"),
        (layers, "nlbench.cli.bad", "import tools.gpu_check"),
        (layers, "nlbench.cli.bad", "from nlbench.api.run import run"),
        (layers, "nlbench.studies", "from nlbench.api import load"),
        (layers, "nlbench.reports.bad", "import nlbench.benchmark"),
        (layers, "nlbench.reports.bad", "from nlbench.benchmark import training"),
        (layers, "nlbench.reports.bad", "from nlbench import noise"),
        (outside, "nlbench.noise.bad", "import torch"),
        (outside, "nlbench.noise.bad", "try:\n    import torch.nn\nexcept ImportError:\n    pass"),
        (outside, "nlbench.baselines.bad", "import pandas as pd"),
        (outside, "nlbench.reports.bad", "from torch import nn"),
        (no_files_in_methods, "nlbench.baselines.bad", "from os import path"),
        (no_files_in_methods, "nlbench.baselines.bad", "x = Path('weights').read_bytes()"),
        (no_files_in_methods, "nlbench.baselines.bad", "x = open('weights')"),
        (no_files_in_methods, "nlbench.baselines.bad", "x = torch.load('weights')"),
        (one_writer, "nlbench.reports.bad", "(out / 'a.csv').write_text(text)"),
        (one_writer, "nlbench.reports.bad", "out.write_bytes(b'')"),
        (one_writer, "nlbench.cli.bad", "file = args.out.open('wb')"),
        (one_writer, "nlbench.cli.bad", "file = open(name, mode='w')"),
        (one_writer, "nlbench.benchmark.bad", "figure.savefig(path, dpi=80)"),
        (one_writer, "nlbench.benchmark.bad", "made = tempfile.mkstemp()"),
        (no_name_for_two, "nlbench.reports", "__all__ = ['build']\ndef __getattr__(name): ..."),
        (core_names_no_topic, "nlbench.reports.bad", "from nlbench.reports.topics import classes"),
        (core_names_no_topic, "nlbench.reports.bad", "class Results:\n    open_sets: int = 0"),
        (core_names_no_topic, "nlbench.reports.bad", "found = results.detections"),
        (no_method_in_the_engine, "nlbench.benchmark.bad", "def drained(mass): return mass"),
        (no_method_in_the_engine, "nlbench.benchmark.bad", "x = method.drains"),
        (no_method_in_the_engine, "nlbench.benchmark.bad", "def f(DRAINED): ..."),
        (no_method_in_the_engine, "nlbench.benchmark.drainage", "x = 1"),
        (no_method_in_the_engine, "nlbench.reports.bad", "f(drainage=1)"),
        (no_global_randomness, "nlbench.noise.bad", "import random"),
        (no_global_randomness, "nlbench.noise.bad", "from numpy.random import default_rng"),
        (no_global_randomness, "nlbench.noise.bad", "np.random.seed(0)"),
        (no_global_randomness, "nlbench.noise.bad", "rng = np.random.default_rng()"),
        (no_global_randomness, "nlbench.benchmark.bad", "torch.manual_seed(0)"),
        (no_global_randomness, "nlbench.benchmark.bad", "torch.cuda.manual_seed(0)"),
        (no_global_randomness, "nlbench.benchmark.bad", "x = torch.randperm(10)"),
    ],
)
def test_rule_finds_what_it_forbids(
    rule: Callable[[Module], Iterator[str]], name: str, source: str
) -> None:
    assert len(list(rule(_module(name, source)))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("nlbench.noise.good", "import numpy as np\nfrom nlbench.noise.rng import generator"),
        ("nlbench.noise.good", "def f(rng: np.random.Generator): return rng.random()"),
        ("nlbench.baselines.good", "import torch\nfrom nlbench.baselines.method import Method"),
        ("nlbench.benchmark.good", "from nlbench import baselines, noise"),
        ("nlbench.benchmark.good", "x = torch.randperm(9, generator=g)"),
        ("nlbench.benchmark.good", "METHODS = ('ce', 'drainage')"),
        ("nlbench.cli.good", "from nlbench import reports\nfrom nlbench.cli import options"),
        ("nlbench.__main__", "from nlbench.cli import main"),
        ("nlbench.reports.good", "from nlbench.benchmark.store.store import Store\nimport pandas"),
        ("tools.good", "from nlbench.cli import main\nimport tools.gpu_check"),
    ],
)
def test_rules_allow_what_the_design_allows(name: str, source: str) -> None:
    assert [fault for rule in RULES for fault in rule(_module(name, source))] == []


def test_circles_are_found_at_module_level_only() -> None:
    known = frozenset({"nlbench.noise.a", "nlbench.noise.b"})
    later = "def f():\n    import nlbench.noise.a\nif TYPE_CHECKING:\n    import nlbench.noise.a"

    def pair(source: str) -> dict[str, Module]:
        first = Module("nlbench.noise.a", ast.parse("from nlbench.noise import b"), known)
        second = Module("nlbench.noise.b", ast.parse(source), known)
        return {first.name: first, second.name: second}

    assert len(cycles(pair("import nlbench.noise.a"))) == 1
    assert cycles(pair(later)) == []


def test_circles_between_folders_are_found() -> None:
    names = ("nlbench.r.one.a", "nlbench.r.one.b", "nlbench.r.two.a", "nlbench.r.two.b")
    sources = ("import nlbench.r.two.a", "", "", "import nlbench.r.one.b")
    known = frozenset(names)
    made = [Module(n, ast.parse(s), known) for n, s in zip(names, sources, strict=True)]
    assert cycles({m.name: m for m in made}) == ["nlbench.r: one <- two <- one"] or cycles(
        {m.name: m for m in made}
    ) == ["nlbench.r: two <- one <- two"]


@pytest.mark.parametrize("folder", ["home", "root", "work", "opt"])
def test_machine_paths_are_recognised(folder: str) -> None:
    assert MACHINE_PATH.search(f'x = "/{folder}/someone/data"'.encode())
    assert not MACHINE_PATH.search(f"https://example.org/{folder}/page".encode())
    assert not MACHINE_PATH.search(b"/usr/share/datasets/fashion-mnist/")
