"""The wheel: built here, installed alone into an empty environment, used from another folder."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("noise", "baselines", "benchmark", "reports")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _run(
    command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )


def _succeed(command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None) -> str:
    done = _run(command, cwd, env)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the sdist of this tree; without isolation, so without the network."""
    out = tmp_path_factory.mktemp("wheel")
    _succeed([sys.executable, "-m", "build", "--no-isolation", "-o", out, ROOT], out)
    (built,) = out.glob("*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """An environment in which nlbench comes from the wheel and from nowhere else."""

    bin: Path
    elsewhere: Path

    @property
    def env(self) -> dict[str, str]:
        """The caller's environment without what could point back to the source tree."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NLBENCH_"))}
        return kept | {"PATH": f"{self.bin}{os.pathsep}{kept['PATH']}"}

    def nlbench(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _run([self.bin / "nlbench", *words], self.elsewhere, self.env)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "venv", symlinks=True)
    python = home / "venv" / "bin" / "python"
    pip: list[str | Path]
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel]
    else:  # an environment that someone made with uv, without pip
        uv = shutil.which("uv")
        assert uv, "neither pip nor uv is there to install the wheel with"
        pip = [uv, "pip", "install", "--python", python, "--no-deps", wheel]
    # Without PYTHONPATH: the egg-info that the build leaves in the tree would count as installed.
    _succeed(pip, home, {k: v for k, v in os.environ.items() if k != "PYTHONPATH"})
    # The dependencies (gigabytes) come from the running environment: folders that a .pth file
    # names are searched last, and .pth files inside them (an editable nlbench) are not read.
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_succeed([python, "-c", query], home).strip())
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "shared.pth").write_text("\n".join(sorted(shared)) + "\n", "utf-8")
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    return Installed(python.parent, elsewhere)


def test_wheel_holds_the_packages_whole_and_nothing_else(wheel: Path) -> None:
    files = set(zipfile.ZipFile(wheel).namelist())
    info = f"nlbench-{PROJECT['version']}.dist-info"
    ours = (path for path in (ROOT / "nlbench").iterdir() if path.is_dir())
    folders = {path.name: path.resolve() for path in ours if path.name != "__pycache__"}
    assert set(PACKAGES) < set(folders)
    expected = {
        f"nlbench/{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    expected |= {f"nlbench/{path.name}" for path in (ROOT / "nlbench").iterdir() if path.is_file()}
    assert {name for name in files if not name.startswith(info)} == expected
    suites = "nlbench/benchmark/suites"
    assert {f"{suites}/quick.toml", f"{suites}/fashion.toml"} <= files
    assert f"{info}/licenses/LICENSE" in files


def test_wheel_says_what_it_needs(wheel: Path) -> None:
    info = f"nlbench-{PROJECT['version']}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
        scripts = archive.read(f"{info}/entry_points.txt").decode()
    assert metadata["Name"] == "nlbench"
    assert metadata["Requires-Python"] == ">=3.11"
    required = [r for r in metadata.get_all("Requires-Dist", []) if "extra ==" not in r]
    assert len(required) == len(PROJECT["dependencies"])
    assert not [r for r in required if "==" in r or "@" in r], "no pins, no direct addresses"
    assert "nlbench = nlbench.cli:main" in scripts


def test_every_package_comes_from_the_wheel(installed: Installed) -> None:
    names = ", ".join(PACKAGES)
    code = f"from nlbench import {names}; print(*(m.__file__ for m in ({names})))"
    places = _succeed([installed.bin / "python", "-c", code], installed.elsewhere, installed.env)
    assert len(places.split()) == len(PACKAGES)
    assert all(Path(place).is_relative_to(installed.bin.parent) for place in places.split())


def test_another_package_called_noise_stands_beside_ours(installed: Installed) -> None:
    other = installed.elsewhere.parent / "other"
    (other / "noise").mkdir(parents=True)
    (other / "noise" / "__init__.py").write_text("pnoise2 = 'Perlin'\n", "utf-8")
    code = "import noise, nlbench.noise; print(noise.pnoise2, nlbench.noise.names()[0])"
    env = installed.env | {"PYTHONPATH": str(other)}
    shown = _succeed([installed.bin / "python", "-c", code], installed.elsewhere, env)
    assert shown.split()[0] == "Perlin"
    listed = _succeed([installed.bin / "nlbench", "list", "noise"], installed.elsewhere, env)
    assert "symmetric" in listed


@pytest.mark.parametrize("name", [*PACKAGES, "benchmark.spec.recipe", "reports.stats"])
def test_no_module_is_imported_under_a_second_name(name: str) -> None:
    done = _run([sys.executable, "-c", f"import {name}"], ROOT, {**os.environ, "PYTHONPATH": ""})
    assert done.returncode == 1
    assert f"nlbench.{name.partition('.')[0]}" in done.stderr.splitlines()[-1]


def test_help_and_list_name_what_there_is(installed: Installed) -> None:
    shown = installed.nlbench("run", "quick", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "--results" in shown.stdout
    listed = installed.nlbench("list")
    assert listed.returncode == 0, listed.stderr
    first_words = {line.split()[0].partition(":")[0] for line in listed.stdout.splitlines() if line}
    expected = {"quick", "fashion", "ce", "gce", "drainage", "clean", "symmetric", "digits", "mlp"}
    assert expected <= first_words


def test_unknown_suite_is_one_line_and_status_2(installed: Installed) -> None:
    done = installed.nlbench("run", "quikc", "--results", "unused")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "quikc" in done.stderr
    assert "did you mean 'quick'" in done.stderr
    assert not (installed.elsewhere / "unused").exists()


@pytest.mark.slow
def test_quick_runs_and_reports_from_another_folder(installed: Installed) -> None:
    part = ("--methods", "ce,drainage", "--noise", "symmetric:0.4", "--seeds", "0-1")
    done = installed.nlbench("run", "quick", *part, "--results", "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    records = [json.loads(p.read_text("utf-8")) for p in _records(installed.elsewhere / "out")]
    assert len(records) == 4
    assert {r["spec"]["method"]["name"] for r in records} == {"ce", "drainage"}
    assert {r["environment"]["nlbench"] for r in records} == {PROJECT["version"]}
    assert all(r["metrics"]["last"] > 0.5 for r in records), "digits: a guess is right in 0.1"
    report = installed.nlbench("report", "quick", *part, "--results", "out")
    assert report.returncode == 0, report.stderr
    made = installed.elsewhere / "out" / "reports" / "quick" / "part"
    assert len((made / "runs.csv").read_text("utf-8").splitlines()) == 1 + 4
    assert (made / "leaderboard.csv").stat().st_size > 0
    assert {p.name for p in installed.elsewhere.iterdir()} == {"out"}, "nothing written elsewhere"


def _records(results: Path) -> list[Path]:
    return [p for p in (results / "runs").rglob("*.json") if len(p.stem) == 16]


def _fresh_make() -> dict[str, str]:
    """The environment without the traces of the `make test` that may have called this."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}


def test_make_help_lists_every_target() -> None:
    usage, *lines = _succeed(["make", "help"], ROOT, _fresh_make()).splitlines()
    assert usage.startswith("usage: make TARGET")
    listed = {line.split()[0] for line in lines}
    documented = {
        "benchmark",
        "report",
        "leaderboard",
        "tables",
        "publish",
        "test",
        "lint",
        "bench",
    }
    assert documented | {"clean"} <= listed
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert listed == set(phony.split()) - {"FORCE"}


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_make_without_a_python_that_will_do_says_so_and_leaves_nothing(
    python: str, tmp_path: Path
) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    done = _run(["make", "benchmark", f"PYTHON={python}"], tmp_path, _fresh_make())
    assert done.returncode == 2
    assert f"no Python >= 3.11 found (tried: {python})" in done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"Makefile", "pyproject.toml"}


def test_citation_names_this_version() -> None:
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert cited
    assert cited[1] == PROJECT["version"]
