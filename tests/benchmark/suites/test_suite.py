"""Suites: expansion, order, parts, and one clear line for every mistake."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest

from nlbench import baselines
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suites import suite

GOOD = """
methods = ["ce", "drainage"]
noise = ["clean", "symmetric:0.4"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
[recipe]
epochs = 1
"""


def parse(text: str = GOOD) -> suite.Suite:
    return suite.parse(text, "mine", "mine.toml")


def test_a_grid_is_expanded_noise_by_seed_by_method() -> None:
    cells = [(s.noise, s.seed, s.method.name) for s in parse().specs]
    assert cells == [
        (noise, seed, method)
        for noise in ("clean", "symmetric:0.4")
        for seed in (0, 1)
        for method in ("ce", "drainage")
    ]
    assert parse().baseline == "ce"


def test_every_hyper_parameter_is_explicit() -> None:
    drainage = parse().specs[1].method
    assert drainage.values == {"alpha": 1.0, "beta": 1.0}


def test_a_list_of_values_is_a_grid_of_methods() -> None:
    text = GOOD.replace('"drainage"', '{ name = "drainage", alpha = [0.1, 1] }')
    alphas = [s.method.values.get("alpha") for s in parse(text).specs[:3]]
    assert alphas == [None, 0.1, 1.0]
    assert parse(text).specs[1].method.values["beta"] == pytest.approx(10)


def test_parts_override_follow_in_order_and_repeat_nothing() -> None:
    text = (
        GOOD.replace("seeds = 2\n", "")
        + '[[parts]]\nnoise = ["clean"]\nseeds = [0]\n'
        + "[[parts]]\nseeds = [0, 3]\nrecipe.lr = 0.01\n"
    )
    cells = [(s.noise, s.seed) for s in parse(text).specs if s.method.name == "ce"]
    assert cells == [("clean", 0), ("clean", 3), ("symmetric:0.4", 0), ("symmetric:0.4", 3)]


def test_the_hash_says_what_is_declared_not_how() -> None:
    other = 'title = "other words"\n' + GOOD.replace(
        '["clean", "symmetric:0.4"]', '["symmetric:0.4", "clean"]'
    )
    assert parse(other).sha256 == parse().sha256
    assert parse(GOOD.replace("seeds = 2", "seeds = 3")).sha256 != parse().sha256


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"drainage"', '"drainag"', "drainag.*drainage"),
        ('"symmetric:0.4"', '"symetric:0.4"', "symetric.*symmetric"),
        ('"symmetric:0.4"', '"symmetric:1.0"', "1.0"),
        ('"symmetric:0.4"', '"symmetric:-0.1"', "-0.1"),
        ('"symmetric:0.4"', '"symmetric:lots"', "lots"),
        ('"symmetric:0.4"', "0.4", "0.4"),
        ('"digits"', '"digit"', "digit.*digits"),
        ('"mlp"', '"mpl"', "mpl.*mlp"),
        ("seeds = 2", "seeds = -1", "seeds = -1"),
        ("seeds = 2", 'seeds = "five"', "five"),
        ("seeds = 2", "sedes = 2", "sedes.*seeds"),
        ("epochs = 1", "epoch = 1", "epoch.*epochs"),
        ("epochs = 1", "epochs = 0", "epochs = 0"),
        ("epochs = 1", 'epochs = 1\naugment = "crop"', "crop_flip"),
        ('name = "digits"', 'name = "digits"\nhold_out = 0.1', "hold_out.*holdout"),
        ('name = "digits"', 'name = "digits"\nholdout = 1.0', "holdout = 1.0"),
        (
            'name = "digits"',
            'name = "digits"\ntrain_per_class = "ten"',
            "train_per_class = 'ten'.*whole number",
        ),
        ('"drainage"', '{ name = "drainage", alpha = -1 }', "alpha"),
        ('"drainage"', '{ name = "drainage", alfa = 1 }', "alfa.*alpha"),
        ('model = "mlp"', 'model = "mlp"\nprofile = "matchd"', "matchd.*matched"),
        ('model = "mlp"', 'model = "mlp"\nbaseline = "gce"', "gce"),
        ("[dataset]", "[dataset", "not valid TOML"),
        ("seeds = 2", "seeds = 1000000000", r"seeds = 1000000000 is too many; at most 10,000"),
        ("seeds = 2", "seeds = [0, 9007199254740992]", "above 9007199254740991"),
        ("seeds = 2", f"seeds = {'9' * 5000}", "not valid TOML"),
        ("seeds = 2", "seeds = true", "seeds = True should be"),
        ("seeds = 2", "seeds = []", "seeds is missing"),
        ("seeds = 2", "seeds = 2\nparts = []", "parts should be tables"),
        ("seeds = 2", 'seeds = 2\ntitle = "a\\nb"', "a line break"),
        ("seeds = 2", 'seeds = 2\ntitle = "\\u001b[2J"', "control character"),
        ("seeds = 2", f"seeds = 2\nx = {'[' * 9000}", "nested too deeply"),
        ("seeds = 2", f"seeds = 2\n{'a.' * 60}a = 1", "more than 50 parts"),
        ("seeds = 2", f"seeds = 2\n#{'x' * 2**20}", "has at most 1,048,576"),
        ("seeds = 2", "seeds = 2\ntune = {budget = 3, seeds = [-1]}", "tune: seeds = .-1."),
        ("epochs = 1", "epochs = 1000000000000", "at most 100,000"),
        ("epochs = 1", "epochs = 1\nlr = inf", "lr = inf should be a finite number"),
        ("epochs = 1", f"epochs = 1\nlr = 1{'0' * 400}", "should be a finite number"),
        ("epochs = 1", "epochs = 1\nbetas = [0.9, nan]", "betas"),
        ("epochs = 1", "epochs = 1\nmilestones = [0]", "milestones"),
        ('name = "digits"', 'name = "digits"\ntrain_per_class = true', "train_per_class = True"),
        ('name = "digits"', 'name = "digits"\nsize = 28.5', "size = 28.5"),
        ('name = "digits"', 'name = "digits"\nunknown = 4', "unknown = 4"),
        ('name = "digits"', 'name = "digits"\nunknown = "classes:9999999"', "classes:9999999"),
        (
            '"drainage"',
            f'{{ name = "drainage", alpha = {[1] * 1100}, beta = {[1] * 1100} }}',
            "1,210,000 runs; a suite has at most 1,000,000",
        ),
        ('methods = ["ce", "drainage"]', "methods = []", "methods is missing"),
    ],
)
def test_every_mistake_is_named_where_it_stands(old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match=f"(?s){words}") as caught:
        parse(GOOD.replace(old, new))
    assert isinstance(caught.value, UserError | baselines.MethodError)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_or_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(UserError, match="cannot be read"):
        suite.load(str(path))
    path.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(UserError, match="at most 1,048,576"):
        suite.load(str(path))
    os.mkfifo(tmp_path / "pipe.toml")
    for other, words in (("pipe.toml", "no such file"), ("\0.toml", "no such file")):
        with pytest.raises(UserError, match=words):
            suite.load(f"{tmp_path}/{other}")


def test_official_needs_published_settings() -> None:
    with pytest.raises(baselines.MethodError, match="matched"):
        parse(GOOD.replace('model = "mlp"', 'model = "mlp"\nprofile = "official"'))


def test_shipped_suites_are_what_the_papers_ran() -> None:
    runs = {name: len(suite.load(name).specs) for name in suite.names()}
    assert runs["quick"] == 4 * 3 * 5
    assert runs["fashion"] == 6 * 3 * 5
    cifar10 = suite.load("cifar10")
    drainage = next(s for s in cifar10.specs if s.method.name == "drainage")
    assert drainage.recipe.l1 == 2e-4
    assert drainage.recipe.weight_decay == 0
    assert (drainage.recipe.epochs, drainage.recipe.lr) == (120, 0.01)
    matched = suite.load("cifar10", "matched")
    assert {(s.recipe.l1, s.recipe.weight_decay) for s in matched.specs} == {(0.0, 1e-4)}
    cifar100 = suite.load("cifar100")
    rates = {s.method.name: s.recipe.lr for s in cifar100.specs}
    assert rates == {"ce": 0.1, "gce": 0.1, "drainage": 0.01}
    assert next(s for s in cifar100.specs if s.method.name == "drainage").method.values == {
        "alpha": 0.1,
        "beta": 10.0,
    }


def test_the_l1_budget_crosses_loss_and_penalty_and_has_three_seeds_first() -> None:
    specs = suite.load("l1-budget").specs
    cells = {(s.method.name, s.recipe.l1, s.noise) for s in specs}
    assert len(specs) == 3 * 3 * 2 * 5
    assert len(cells) == 3 * 3 * 2
    assert {(s.recipe.weight_decay, s.recipe.precision, s.model) for s in specs} == {
        (0.0, "bf16", "cnn8")
    }
    assert {s.seed for s in specs[:54]} == {0, 1, 2}
    assert {s.seed for s in specs[54:]} == {3, 4}
    assert len({(s.method.name, s.recipe.l1, s.noise) for s in specs[:54]}) == len(cells)


def test_the_l1_budget_of_digits_pulls_as_hard_as_the_release() -> None:
    """Pull: L1 x sum of learning rates / (1 - momentum); cosine: half the first rate on average."""
    specs = suite.load("l1-budget-digits").specs
    steps = 40 * math.ceil(0.8 * 1000 / 64)
    pulls = {s.recipe.l1 * steps * s.recipe.lr / 2 / (1 - s.recipe.momentum) for s in specs}
    release = [l1 * 120 * math.ceil(50_000 / 128) * 0.01 / 2 / (1 - 0.9) for l1 in (0, 1e-4, 2e-4)]
    assert sorted(pulls) == pytest.approx(release, rel=0.01)
    assert len(specs) == 3 * 3 * 2 * 10
    assert {(s.recipe.l1 > 0) for s in specs if s.recipe.weight_decay > 0} == {False}


def test_the_headline_is_the_release_on_another_network() -> None:
    specs = suite.load("headline").specs
    assert {(s.model, s.noise, s.profile) for s in specs} == {
        ("resnet18", "asymmetric:0.4", "official")
    }
    assert [(s.seed, s.method.name, s.recipe.l1) for s in specs[:3]] == [
        (0, "ce", 1e-4), (0, "gce", 1e-4), (0, "drainage", 2e-4)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["l1-budget", "cifar10-jpeg"])
def test_instance_noise_of_studies_of_the_release_is_drawn_as_it_draws(name: str) -> None:
    """From pixels in [0, 1], the bias of its truncation kept."""
    drawn = [s.noise.split(":") for s in suite.load(name).specs if "instance" in s.noise]
    assert drawn
    assert all(words[2:] == ["bias=legacy", "scale=unit"] for words in drawn)


def test_select_cuts_and_names_what_is_not_there() -> None:
    cut = parse().select(methods=["ce"], noise=["symmetric:0.40"], seeds=[1])
    assert [s.seed for s in cut.specs] == [1]
    with pytest.raises(UserError, match="gce"):
        parse().select(methods=["gce"])
    with pytest.raises(UserError, match="7"):
        parse().select(seeds=[7])


def test_a_file_of_ones_own_and_unknown_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert suite.load(str(path)).specs == parse().specs
    with pytest.raises(UserError, match="no such file"):
        suite.load(str(tmp_path / "yours.toml"))
    with pytest.raises(UserError, match=r"quik.*quick"):
        suite.load("quik")


REPORT = """
methods = ["ce"]
noise = ["clean"]
seeds = 1
dataset = { name = "digits" }
recipe = { epochs = 1 }
[report]
"""


def test_measures_for_the_report_change_no_run() -> None:
    asked = suite.parse(REPORT + 'metrics = ["nll", "ece", "nll"]', "mine", "mine.toml")
    assert asked.report.metrics == ("nll", "ece")
    assert asked.select(seeds=[0]).report == asked.report
    plain = suite.parse(REPORT.replace("[report]", ""), "mine", "mine.toml")
    assert plain.report.metrics == ()
    assert (plain.sha256, plain.specs) == (asked.sha256, asked.specs)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('metrics = ["eec"]', "unknown metric 'eec' in mine.toml, report; did you mean 'ece'"),
        ('metrics = "ece"', "mine.toml, report: metrics = 'ece' should be a list of texts"),
        ('metric = ["ece"]', "unknown key 'metric' in mine.toml, report; did you mean 'metrics'"),
    ],
)
def test_a_wrong_report_table_is_refused(line: str, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        suite.parse(REPORT + line, "mine", "mine.toml")


def test_the_report_table_is_kept_and_is_no_part_of_the_runs() -> None:
    chosen = parse(GOOD + '[report]\ntest = "Wilcoxon"\n')
    assert parse().report.test == "paired t"
    assert chosen.report.test == "Wilcoxon"
    assert chosen.select(methods=["ce"]).report.test == "Wilcoxon"
    assert (chosen.specs, chosen.sha256) == (parse().specs, parse().sha256)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("report = 3", "mine.toml: report = 3 should be a table"),
        ("report.test = 3", "mine.toml, report: test = 3 should be a text"),
    ],
)
def test_a_wrong_report_table_is_named(line: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        parse(f"{line}\n{GOOD}")
    assert str(error.value).startswith(message)


UNEQUAL = """
title = "Alike?"
baseline = "ce"
methods = ["ce", { name = "gce", recipe = { lr = 0.5 } }]
noise = ["symmetric:0.4"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
[recipe]
epochs = 3
lr = 0.1
"""


def test_a_suite_that_calls_itself_matched_trains_all_methods_alike() -> None:
    with pytest.raises(UserError, match=r"learning rate differ \(ce: learning rate 0\.1; gce:"):
        suite.parse(UNEQUAL, "alike", "alike.toml")
    tuned = suite.parse(UNEQUAL, "alike", "alike.toml", profile="tuned")
    assert len(tuned.specs) == 4
    each = UNEQUAL.replace('["ce", {', '["ce", "gce", { name = "ce", recipe = { lr = 0.5 } }, {')
    assert len(suite.parse(each, "alike", "alike.toml").specs) == 8
