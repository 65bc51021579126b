"""Finding methods by name, hyper-parameters, published settings, and what wrong input is told."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nlbench import baselines
from nlbench.baselines import Method, MethodError, Published, hyper, register, registry
from nlbench.baselines.hyper import Interval
from nlbench.baselines.methods.gce import GCE

PACKAGE = Path(baselines.__file__).parent

PLUGIN = """
from dataclasses import dataclass
from nlbench.baselines import Method, hyper

@dataclass(frozen=True, kw_only=True)
class Halved(Method):
    factor: float = hyper(0.5, "multiplies the loss", "(0, 1]")
    rounds: int = 3
    loud: bool = False
    mode: str = "plain"

    def per_sample(self, logits, targets):
        return -self.factor * logits.log_softmax(1).gather(1, targets[:, None]).squeeze(1)

@dataclass(frozen=True, kw_only=True)
class Needy(Halved):
    must: float

class Forgetful(Halved):
    more: float = 1.0

class Abstract(Method):
    pass

NOT_A_CLASS = 3
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module outside the project, importable and registered for the length of a test."""
    modules = {
        "nlbench_plugin_for_test": PLUGIN,
        "nlbench_broken_for_test": "import no_such_module_anywhere",
    }
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text)
    baselines.names()  # load what there is, so that the copy below holds it
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
    yield tmp_path
    for name in modules:
        sys.modules.pop(name, None)


def install(folder: Path, *lines: str) -> None:
    """Make a distribution there that declares these entry points."""
    info = folder / "nlbench_plugin_for_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nlbench-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(["[nlbench.methods]", *lines]) + "\n")


def test_importing_the_package_alone_finds_every_method_file() -> None:
    """Names from the source text, in a fresh process: nobody else has imported the files there."""
    in_source = set()
    for path in (PACKAGE / "methods").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "register":
                    in_source.add(ast.literal_eval(decorator.args[0]))
    assert {"ce", "drainage", "gce"} <= in_source
    code = "from nlbench import baselines; print(*baselines.names())"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert in_source <= set(run.stdout.split())
    assert list(baselines.names()) == sorted(baselines.names())
    assert all(baselines.get(name).name == name for name in in_source)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gec", "unknown method 'gec'; did you mean 'gce'?"),
        ("GCE", "unknown method 'GCE'; did you mean 'gce'?"),
        ("drain", "unknown method 'drain'; did you mean 'drainage'?"),
        ("", "unknown method ''; there is: "),
    ],
)
def test_unknown_methods_are_named_with_the_nearest_right_one(name: str, message: str) -> None:
    with pytest.raises(MethodError) as caught:
        baselines.create(name)
    assert str(caught.value).startswith(message)


def test_a_name_that_is_no_string_is_refused() -> None:
    with pytest.raises(MethodError, match="name is a string, not 3"):
        baselines.get(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        (
            "drainage",
            {"alhpa": 1},
            "'drainage' has no hyper-parameter 'alhpa'; did you mean 'alpha'?",
        ),
        ("gce", {"k": 1}, "method 'gce' has no hyper-parameter 'k'; there is: q"),
        ("ce", {"q": 0.7}, "method 'ce' has no hyper-parameter 'q'; there is none"),
        ("gce", {"q": "high"}, "method 'gce': q = 'high' is not a number"),
        ("gce", {"q": True}, "method 'gce': q = True is not a number"),
        ("gce", {"q": [0.7]}, "method 'gce': q = [0.7] is not a number"),
        ("gce", {"q": None}, "method 'gce': q = None is not a number"),
        ("gce", {"q": 1.5}, "method 'gce': q = 1.5 is outside [0, 1]"),
    ],
)
def test_wrong_hyper_parameters_are_named(
    name: str, params: dict[str, object], message: str
) -> None:
    with pytest.raises(MethodError) as caught:
        baselines.create(name, params)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("one", [1, np.int64(1), np.float32(1.0), 1.0])
def test_numbers_become_the_declared_type(one: object) -> None:
    method = baselines.create("gce", {"q": one})
    assert type(method.params()["q"]) is float
    assert method == GCE(q=1.0)


def test_hyper_parameters_are_listed_with_type_range_and_default() -> None:
    (shown,) = GCE.hyperparameters()
    assert (shown.name, shown.type, shown.default, shown.range) == ("q", "float", 0.7, "[0, 1]")
    assert shown.help


@pytest.mark.usefixtures("plugin")
def test_a_class_anywhere_is_found_by_module_and_name() -> None:
    name = "nlbench_plugin_for_test:Halved"
    method = baselines.create(name, {"factor": 1, "rounds": np.int32(4), "loud": True})
    assert method.params() == {"factor": 1.0, "rounds": 4, "loud": True, "mode": "plain"}
    assert type(method).name == name
    assert type(method).title == "Halved"
    assert baselines.get(type(method).name) is type(method)
    logits = torch.zeros(2, 4, dtype=torch.bfloat16)
    torch.testing.assert_close(
        method.loss(logits, torch.tensor([0, 3])), torch.full((2,), 4.0).log()
    )


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("nlbench_plugin_for_test:Halved", {"rounds": 2.5}, "rounds = 2.5 is not a whole number"),
        ("nlbench_plugin_for_test:Halved", {"loud": 1}, "loud = 1 is not true or false"),
        ("nlbench_plugin_for_test:Halved", {"mode": 1}, "mode = 1 is not a string"),
        ("nlbench_plugin_for_test:Needy", {}, "needs its hyper-parameter 'must'"),
        ("nlbench_plugin_for_test:Forgetful", {}, "lacks @dataclass(frozen=True, kw_only=True)"),
        ("nlbench_plugin_for_test:Abstract", {}, "does not define per_sample"),
        ("nlbench_plugin_for_test:NOT_A_CLASS", {}, "3 is not a subclass of baselines.Method"),
        ("nlbench_plugin_for_test:Missing", {}, "cannot be loaded: AttributeError"),
        ("nlbench_broken_for_test:Any", {}, "cannot be loaded: ModuleNotFoundError"),
        ("no_such_module_anywhere:Any", {}, "cannot be loaded: ModuleNotFoundError"),
        (":", {}, "cannot be loaded: "),
        ("a b:c", {}, "cannot be loaded: "),
    ],
)
def test_classes_that_are_no_usable_methods_are_refused(
    name: str, params: dict[str, object], message: str
) -> None:
    with pytest.raises(MethodError) as caught:
        baselines.create(name, params)
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_installed_packages_add_methods_by_entry_point(plugin: Path) -> None:
    install(plugin, "halved = nlbench_plugin_for_test:Halved")
    assert "halved" in baselines.names()
    assert baselines.create("halved", {"factor": 0.25}).params()["factor"] == 0.25
    with pytest.raises(MethodError, match="did you mean 'halved'"):
        baselines.get("halvd")


def test_an_entry_point_may_register_its_class_as_well(plugin: Path) -> None:
    (plugin / "nlbench_plugin_for_test.py").write_text(
        PLUGIN.replace("@dataclass", '@register("halved")\n@dataclass', 1).replace(
            "import Method", "import register, Method"
        )
    )
    install(plugin, "halved = nlbench_plugin_for_test:Halved")
    first = baselines.get("halved")
    assert first.name == "halved"
    assert baselines.get("halved") is baselines.get("nlbench_plugin_for_test:Halved") is first


def test_an_entry_point_cannot_shadow_a_method(plugin: Path) -> None:
    install(plugin, "gce = nlbench_plugin_for_test:Halved")
    with pytest.raises(MethodError, match=r"'gce' is claimed by nlbench\.baselines"):
        baselines.get("gce")
    assert baselines.get("ce").name == "ce"


def test_a_broken_entry_point_harms_only_itself(plugin: Path) -> None:
    install(plugin, "broken = nlbench_broken_for_test:Any")
    assert "broken" in baselines.names()
    assert baselines.get("ce").name == "ce"
    with pytest.raises(MethodError, match=r"'broken' .* cannot be loaded: ModuleNotFoundError"):
        baselines.get("broken")


def test_names_are_taken_once_and_well_formed() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Other(Method):
        def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
            return logits[:, 0] * targets

    with pytest.raises(
        MethodError, match=r"'gce' is taken by nlbench\.baselines\.methods\.gce:GCE"
    ):
        register("gce")(Other)
    for bad in ("GCE", "", "a:b", "nce rce", "1st", "gce\n"):
        with pytest.raises(MethodError, match="may only have small letters"):
            register(bad)
    assert register("gce")(GCE) is GCE


@pytest.mark.parametrize("text", ["0..1", "[0, 1", "(a, b)", "[0 1]", "[0, 1]\n", "[0, nan]"])
def test_a_range_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(MethodError, match="range"):
        hyper(0.5, "help", text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("(0, 1]", [1e-300, 0.5, 1.0], [0.0, -0.0, 1.0000001, -1.0]),
        ("[0, 1)", [0.0, 0.999], [1.0, -1e-300]),
        ("[0, inf]", [0.0, 1e308], [float("inf"), float("nan"), -1.0]),
        ("[0, inf)", [0.0, 1e308], [float("inf"), float("nan"), -1.0]),
        ("(-inf, inf)", [-1e308, 0.0], [float("inf"), float("-inf"), float("nan")]),
    ],
)
def test_ranges_keep_their_ends(text: str, inside: list[float], outside: list[float]) -> None:
    interval = Interval.parse(text)
    assert all(value in interval for value in inside)
    assert not any(value in interval for value in outside)


# The tables of the Drainage release, written down a second time and by another order: per data set,
# the method's hyper-parameters, learning rate, L2 and L1.
OFFICIAL = {
    "cifar10": {
        "ce": ({}, 0.01, 0.0, 1e-4),
        "gce": ({"q": 0.7}, 0.01, 0.0, 1e-4),
        "drainage": ({"alpha": 1.0}, 0.01, 0.0, 2e-4),
    },
    "cifar100": {
        "ce": ({}, 0.1, 0.0, 1e-5),
        "gce": ({"q": 0.7}, 0.1, 0.0, 1e-5),
        "drainage": ({"alpha": 0.1}, 0.01, 0.0, 1e-4),
    },
    "mini_webvision": {
        "ce": ({}, 0.4, 3e-5, 0.0),
        "gce": ({"q": 0.7}, 0.4, 3e-5, 0.0),
        "drainage": ({"alpha": 0.1}, 0.4, 0.0, 1e-5),
    },
    "clothing1m": {
        "ce": ({}, 1e-3, 1e-3, 0.0),
        "gce": ({"q": 0.7}, 1e-3, 1e-3, 0.0),
        "drainage": ({"alpha": 0.01}, 1e-4, 1e-3, 0.0),
    },
    "mnist": {
        "ce": ({}, 0.01, 1e-3, 0.0),
        "gce": ({"q": 0.7}, 0.01, 1e-3, 0.0),
    },
}
ROWS = [(family, name) for family, methods in OFFICIAL.items() for name in methods]


@pytest.mark.parametrize(("family", "name"), ROWS)
def test_official_settings_are_the_published_tables(family: str, name: str) -> None:
    params, lr, weight_decay, l1 = OFFICIAL[family][name]
    official = baselines.setting(name, family, "official")
    assert official.params == params
    assert official.recipe == {"lr": lr, "weight_decay": weight_decay, "l1": l1}
    assert official.source


@pytest.mark.parametrize(("family", "name"), ROWS)
def test_matched_settings_keep_the_loss_and_drop_the_recipe(family: str, name: str) -> None:
    matched = baselines.setting(name, family, "matched")
    assert matched.params == OFFICIAL[family][name][0]
    assert matched.recipe == {}


def test_matched_falls_back_on_the_defaults_and_says_so() -> None:
    matched = baselines.setting("drainage", "fashion_mnist", "matched")
    assert matched == Published(params={}, recipe={}, source="defaults of method 'drainage'")
    assert baselines.create("drainage", matched.params).params() == {"alpha": 1.0, "beta": 1.0}


def test_official_says_for_what_there_is_a_setting() -> None:
    with pytest.raises(MethodError) as caught:
        baselines.setting("drainage", "mnist", "official")
    assert str(caught.value) == (
        "method 'drainage' has no official setting for 'mnist': there is one for cifar10, "
        "cifar100, clothing1m, mini_webvision; use profile 'matched'"
    )


def test_unknown_profiles_are_named_with_the_nearest_right_one() -> None:
    with pytest.raises(MethodError, match="'oficial'; did you mean 'official'"):
        baselines.setting("ce", "cifar10", "oficial")
    with pytest.raises(MethodError, match="unknown method"):
        baselines.setting("cee", "cifar10", "official")


def test_nobody_can_change_a_published_setting() -> None:
    first = baselines.setting("gce", "cifar10", "official")
    dict_of_first = first.params
    assert isinstance(dict_of_first, dict)
    dict_of_first["q"] = 0.1
    assert baselines.setting("gce", "cifar10", "official").params == {"q": 0.7}
