"""A method as a user writes it: by name, by title, with settings; and the nearest one if wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nlbench.benchmark import selection
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.suites import suite
from nlbench.reports.read.names import method_labels

TEXT = """
methods = [
  "ce", "gce",
  { name = "drainage", alpha = 0.1, beta = [10.0, 3.3333333333333335] },
  { name = "drainage", alpha = 1.0, beta = 10.0 },
  { name = "drainage-constant", alpha = 1.0, constant = 0.0 },
]
noise = ["clean", "symmetric:0.4"]
seeds = 2
model = "mlp"
dataset = { name = "digits" }
recipe = { epochs = 1, lr = 0.05 }
"""
SUITE = suite.parse(TEXT, "mine", "mine.toml")


def chosen(*words: str) -> set[tuple[str, object, object]]:
    """Name, alpha and beta of what the words pick; each in all conditions and seeds."""
    runs = SUITE.select(methods=words).specs
    found: set[tuple[str, object, object]] = {
        (s.method.name, s.method.values.get("alpha"), s.method.values.get("beta")) for s in runs
    }
    assert len(runs) == 4 * len(found)
    return found


DRAINAGE = {("drainage", 0.1, 10.0), ("drainage", 0.1, 3.3333333333333335), ("drainage", 1.0, 10.0)}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ce", {("ce", None, None)}),
        ("CE", {("ce", None, None)}),
        ("Gce", {("gce", None, None)}),
        ("drainage", DRAINAGE),
        ("Drainage", DRAINAGE),
        ("drainage:alpha=0.1", {d for d in DRAINAGE if d[1] == 0.1}),
        ("drainage:alpha=1e-1:beta=10", {("drainage", 0.1, 10.0)}),
        ("DRAINAGE:alpha=1", {("drainage", 1.0, 10.0)}),
        ("Drainage(alpha=0.1, beta=3.33333)", {("drainage", 0.1, 3.3333333333333335)}),
        ("drainage:recipe.lr=0.05", DRAINAGE),
    ],
)
def test_words_pick_methods_and_variants(word: str, expected: set[object]) -> None:
    assert chosen(word) == expected
    assert chosen(word, "gce") == expected | {("gce", None, None)}


def test_every_label_of_the_tables_picks_its_own_runs() -> None:
    titles = {"ce": "CE", "gce": "GCE", "drainage": "Drainage", "drainage-constant": "Constant"}
    labels = method_labels(SUITE.specs, {k: v for k, v in titles.items() if k[-8:] != "constant"})
    assert any("(alpha=0.1, beta=3.33333)" in label for label in labels)
    for label in dict.fromkeys(labels):
        runs: Sequence[RunSpec] = selection.picked(SUITE.specs, [label], "here")
        assert runs == tuple(s for s, its in zip(SUITE.specs, labels, strict=True) if its == label)
    assert set(selection.split(",".join(labels))) == set(labels)


@pytest.mark.parametrize(
    "other",
    [
        "recipe = { eval_every = 2 }",
        "recipe = { sam_rho = 0.05, sam_adaptive = true }",
        'recipe = { schedule = "step", milestones = [1, 2] }',
        'recipe = { optimizer = "adam", betas = [0.5, 0.9] }',
        'q = 0.5, recipe = { schedule = "step", milestones = [1] }',
    ],
)
def test_labels_of_several_recipes_pick_their_own_runs(other: str) -> None:
    """One of the two is at its default, which a spec does not write; some values are lists."""
    text = TEXT.replace('"gce",', f'"gce", {{ name = "gce", {other} }},')
    specs = suite.parse(text.replace("epochs = 1", "epochs = 3"), "mine", "mine.toml").specs
    labels = method_labels(specs, {"gce": "GCE"})
    ours = [label for label in dict.fromkeys(labels) if label.startswith("GCE(")]
    assert len(ours) == 2
    assert selection.split(",".join(ours)) == ours
    for label in ours:
        runs = tuple(s for s, its in zip(specs, labels, strict=True) if its == label)
        assert selection.picked(specs, [label], "here") == runs


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("drainge", "unknown method 'drainge' in suite mine; did you mean 'drainage'?"),
        ("GEC", "unknown method 'GEC' in suite mine; did you mean"),
        (
            "drainage:alhpa=1",
            "setting 'alhpa' in 'drainage:alhpa=1', suite mine; did you mean 'alpha'",
        ),
        ("drainage:alpha=0.2", "no run has alpha = 0.2; there is 0.1, 1"),
        ("drainage:alpha=1:beta=3", "no run has beta = 3; there is 10"),
        ("drainage:alpha=high", "no run has alpha = high; there is 0.1, 1"),
        ("ce:q=0.7", "unknown setting 'q' in 'ce:q=0.7'"),
        ("Drainage(alpha=0.1", "unknown method 'Drainage(alpha=0.1'"),
        ("alpha=0.1)", "unknown method 'alpha=0.1)'"),
        ("(alpha=0.1)", "unknown method ''"),
        ("drainage:recipe.milestones=(1, 2)", "no run has recipe.milestones = (1, 2); there is ()"),
    ],
)
def test_a_word_that_names_nothing_is_refused_with_the_nearest(word: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        SUITE.select(methods=[word])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_title_that_two_methods_share_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlbench.baselines.methods.gce.GCE.title", "Loss")
    monkeypatch.setattr("nlbench.baselines.methods.ce.CE.title", "LOSS")
    assert chosen("Loss") == {("gce", None, None)}
    with pytest.raises(UserError, match="method 'loss' of suite mine may be ce or gce"):
        chosen("loss")


@pytest.mark.parametrize("of", [1, 3, 7, 20, 50])
def test_shards_are_a_partition_of_even_sizes_in_order(of: int) -> None:
    parts = [selection.shard(SUITE.specs, number, of) for number in range(1, of + 1)]
    assert sorted(s.run_id for part in parts for s in part) == sorted(s.run_id for s in SUITE.specs)
    assert {len(part) for part in parts} <= {24 // of, -(-24 // of)}
    for part in parts:
        assert list(part) == [s for s in SUITE.specs if s in part]


def test_a_shard_of_many_runs_has_every_method() -> None:
    runs = suite.load("fashion").specs
    for number in range(1, 5):
        part = selection.shard(runs, number, 4)
        assert {s.method.name for s in part} == {s.method.name for s in runs}


@pytest.mark.parametrize(("number", "of"), [(0, 3), (4, 3), (1, 0)])
def test_a_shard_that_is_none_is_refused(number: int, of: int) -> None:
    with pytest.raises(UserError, match=f"shard {number} of {of}"):
        selection.shard(SUITE.specs, number, of)
