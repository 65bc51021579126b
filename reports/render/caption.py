"""What a caption must state, as plain sentences that every renderer shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nlbench.reports.compare.comparison import ALPHA, Comparison
from nlbench.reports.compare.ranking import Best
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.render.best import SHARE, best_set_rule, tested
from nlbench.reports.render.grid import COLLAPSED, INCOMPLETE, MOST_COLUMNS, UNPAIRED
from nlbench.reports.render.told import told, told_sentence
from nlbench.reports.render.verdicts import planned
from nlbench.reports.stats import TESTS
from nlbench.reports.text import listing, number, plural, rate

RULE_WORDS = {
    "last": "last epoch",
    "noisy_val": "epoch chosen by accuracy on held-out noisy labels",
    "clean_val": "epoch chosen by accuracy on held-out clean labels",
    "oracle": "best epoch on the test set itself (oracle: an upper bound, not a result)",
}
TUNED_WORDS = {"noisy_val": "accuracy on held-out noisy labels at the last epoch"}
MARK_WORDS = {
    INCOMPLETE: "incomplete (seeds with a value / declared seeds), not tested",
    COLLAPSED: "some runs diverged or collapsed to chance; they are in the mean",
    UNPAIRED: "not paired with the others (fingerprints differ), not tested",
}
# Labels that are the same for every seed.
FIXED_LABELS = ("clean", "given", "human", "file")
ROWS_WORDS = (
    "Methods in the order of their mean over the conditions (last column; bold there: the best set"
    " by that mean, seed by seed)."
)
TOLD_WORDS = "Told: what a method was given beyond the labels, unknown outside an experiment."


def accuracy_caption(results: Results, block: Block) -> list[str]:
    """What an accuracy table shows, by which rule, and what bold means: a sentence each."""
    given = told(results, block)
    in_column = given and len(block.methods) > MOST_COLUMNS
    words = [TOLD_WORDS] if in_column else told_sentence(given)
    return [*_measured(results, block), bold_rule(results, block), *words]


def accuracy_notes(results: Results, block: Block, rates: bool = True) -> list[str]:
    """Sentences of the notes under an accuracy table, in order; without the key to the marks.

    Args:
        results: what was computed.
        block: the table.
        rates: whether to name the realised noise rates (a table may have a column for them).
    """
    return [
        *([] if results.study.given else [f"A{seed_words(results, [block])[1:]}."]),
        *([ROWS_WORDS] if len(block.methods) > MOST_COLUMNS else []),
        *filter(None, [best_set_rule(_bests(results, block))]),
        *family_sentence(results, block),
        *mde_line(results, block),
        *([rates_sentence(block)] if rates and not results.study.given else []),
        *chosen_sentence(results, block),
        *completeness(block),
        provenance(results, block),
    ]


def seed_words(results: Results, blocks: Sequence[Block]) -> str:
    """What a seed draws again in these blocks, as a clause."""
    index = results.frame.runs["block"].isin([block.index for block in blocks]).to_numpy()
    specs = (s for s, there in zip(results.study.specs, index, strict=True) if there)
    augmented = any(spec.recipe.augment != "none" for spec in specs)
    return f"a seed re-draws {listing(redrawn(blocks, augmented))}, the same for every method"


def redrawn(blocks: Sequence[Block], augmented: bool = False) -> list[str]:
    """What a seed draws again.

    Args:
        blocks: where.
        augmented: whether images are.
    """
    lines = (condition.line for block in blocks for condition in block.conditions)
    noisy = any(
        part.split(":")[0] not in FIXED_LABELS for line in lines for part in line.split("+")
    )
    held_out = any(block.key.holdout for block in blocks)
    return [
        *(["label noise"] if noisy else []),
        *(["validation split"] if held_out else []),
        "initial weights",
        "batch order",
        *(["augmentation"] if augmented else []),
    ]


def chosen_sentence(results: Results, block: Block) -> list[str]:
    """How the settings of profile ``tuned`` were chosen; nothing under another profile."""
    if block.key.profile != "tuned":
        return []
    tuned = results.study.tuned
    if tuned is None:
        return ["How the settings of profile tuned were chosen is not recorded in the suite."]
    return [
        f"Hyper-parameters and learning rate were chosen for each method and condition by"
        f" {TUNED_WORDS[tuned.rule]}, the best of {tuned.budget} settings tried for every method on"
        f" {_seeds(tuned.seeds)} of suite {tuned.suite} ({tuned.sha256[:12]};"
        f" {plural(tuned.records, 'record')}, {tuned.digest[:12]})."
    ]


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'' if len(seeds) == 1 else 's'} {listing([str(seed) for seed in seeds])}"


def _measured(results: Results, block: Block) -> list[str]:
    """What the numbers of a table are."""
    over = f"mean ± standard deviation (n − 1) over {sample(block.declared(), 'seed')}"
    if results.study.given:
        return [f"Accuracy (%) of {block.data_label}, as given: {over}, paired by seed as given."]
    return [
        f"Test accuracy (%) on {block.data_label}, network {block.key.model}, profile"
        f" {block.key.regime}: {over}.",
        f"Accuracy rule: {results.rule} ({RULE_WORDS[results.rule]}), measured on the clean test"
        " set.",
    ]


def bold_rule(results: Results, block: Block) -> str:
    """What bold means here."""
    if not tested(_bests(results, block)):
        reason = "there is one method" if len(block.methods) < 2 else "no cell allows one"
        return f"No test was made ({reason}), so nothing is bold."
    return (
        f"Bold: the {SHARE} best set of each condition, the methods that no other one is shown to"
        " beat."
    )


def _bests(results: Results, block: Block) -> list[Best]:
    return [results.best(block, condition) for condition in block.conditions]


def family_sentence(results: Results, block: Block) -> list[str]:
    """What the comparisons of methods are corrected over."""
    verdicts = results.in_block(block)
    if not any(v.comparable for v in verdicts):
        return []
    return [
        "Verdicts on pairs of methods: declared comparisons (with"
        f" {listing(sorted(results.baseline))}, and what the suite declares) err in"
        f" {100 * ALPHA:g} % of reports at most, all other pairs of this table, which are"
        f" exploratory, in {100 * ALPHA:g} % too."
    ]


def mde_line(results: Results, block: Block) -> list[str]:
    """What was to be found by the plan of the suite; nothing if it assumed no spread."""
    return list(filter(None, [planned(results, block)]))


def rates_sentence(block: Block) -> str:
    """Nominal against realised noise rates."""
    pairs = [
        f"{c.type} {rate(c.nominal)} ({rate(c.realised)})"
        for c in block.conditions
        if c.type != "clean"
    ]
    if not pairs:
        return "Labels are clean."
    return f"Nominal (realised) noise rates: {', '.join(pairs)}."


def completeness(block: Block) -> list[str]:
    """Missing, failed, diverged and collapsed runs; one sentence if there are none."""
    cells = list(block.declared())
    total = sum(cell.expected for cell in cells)
    words = [
        f"{count} {status}"
        for status in ("missing", "failed", "diverged")
        if (count := sum(cell.count(status) for cell in cells))
    ]
    collapsed = sum(int(cell.collapsed.sum()) - cell.count("diverged") for cell in cells)
    if collapsed > 0:
        words.append(f"{collapsed} collapsed")
    if not words:
        return [f"All {total:,} runs are there; none diverged or collapsed."]
    rule = ""
    if any(cell.collapsed.any() for cell in cells):
        rule = (
            " In means a diverged run counts with chance accuracy 1/K, a collapsed one (accuracy at"
            " most 1.5/K) with its own. Where some runs of a method collapsed and others did not,"
            " the rates of collapse are tested by an exact McNemar test, and accuracies over the"
            " seeds at which neither method collapsed."
        )
    return [f"Of {total:,} runs: {listing(words)}.{rule}"]


def provenance(results: Results, block: Block) -> str:
    """Suite, commit, device and threads."""
    if table := results.study.given.get("table"):
        return f"From {table}."
    runs = results.frame.runs
    there = (runs["block"] == block.index) & (runs["status"] != "missing")
    runs = runs.loc[there, ["device", "commit", "threads"]]
    devices = sorted({str(v) for v in runs["device"].dropna().unique()})
    commits = sorted({str(v)[:12] for v in runs["commit"].dropna().unique()})
    study = results.study
    whole = "a part of suite" if study.part else "suite"
    words = [f"{whole} {study.name} ({study.sha256[:12]})"]
    words += [f"commit {', '.join(commits)}" if commits else "commit unknown"]
    words += [f"device {', '.join(devices)}"] if devices else []
    return f"{trained(results, block)} From {', '.join(words)}."


def of_part(results: Results) -> str:
    """For captions that name no suite: that the runs are a part of one; empty if they are not."""
    study = results.study
    return f" From a part of suite {study.name}." if study.part else ""


def trained(results: Results, block: Block) -> str:
    """The recipe by method, whose setting it is, and how the labels were drawn."""
    drawn = f" Labels as drawn: {words}." if (words := block.noise_drawn) else ""
    return f"Recipe: {block.recipe}.{released(results, block)}{drawn}"


def released(results: Results, block: Block) -> str:
    """Whose settings those of profile ``official`` are; empty under another profile."""
    if block.key.profile != "official":
        return ""
    whose: dict[str, list[str]] = {}
    names = results.method_names
    for method in block.methods:
        release = results.study.releases.get(f"{names[method]} on {block.key.dataset}")
        if release is not None:
            whose.setdefault(release, []).append(method)
    words = "; ".join(f"{listing(methods)}: {text}" for text, methods in whose.items())
    return f" Settings of profile official as in {words}." if words else ""


def setting(results: Results, block: Block) -> str:
    """Data label, network, profile and epochs of a block."""
    index = results.frame.runs["block"].to_numpy()
    specs = [s for s, at in zip(results.study.specs, index, strict=True) if at == block.index]
    epochs = sorted({spec.recipe.epochs for spec in specs})
    span = str(epochs[0]) if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]}"
    unit = "epoch" if span == "1" else "epochs"
    return f"{block.title}, {span} {unit}"


def sample(cells: Iterable[Cell], unit: str) -> str:
    """``n = 5 class splits``, or the range where cells differ."""
    counts = sorted({cell.summary.n for cell in cells})
    low, high = (counts[0], counts[-1]) if counts else (0, 0)
    return f"n = {low} to {plural(high, unit)}" if low != high else f"n = {plural(low, unit)}"


def origin(results: Results, block: Block) -> list[str]:
    """Noise rates, missing runs, and suite, commit and device."""
    return [rates_sentence(block), *completeness(block), provenance(results, block)]


def detectable(comparisons: Sequence[Comparison]) -> str:
    """What such a family of comparisons can find, before looking; empty if nothing was tested."""
    tests = [(c, TESTS[c.test]) for c in comparisons if c.test in TESTS]
    if not tests:
        return ""
    fewest, test = min(tests, key=lambda one: one[0].n)
    size = fewest.family_size
    sds = test.detectable(fewest.n, ALPHA / size) if test.detectable else None
    if sds is None:
        return ""
    return (
        f"Planned: with n = {plural(fewest.n, fewest.unit)} and Holm over"
        f" {plural(size, 'comparison')}, a {test.title} finds with 80 % power, at its first step,"
        f" a true difference of {number(sds)} standard deviations of the paired difference. Not"
        " distinguishable does not mean equal: see the intervals."
    )


def tally(comparisons: Sequence[Comparison], who: str) -> str:
    """In how many comparisons ``who`` is better, worse, undecided or not comparable, in words."""
    kinds = ("better", "worse", "undecided")
    counts = [sum(c.words == kind for c in comparisons) for kind in kinds]
    rest = len(comparisons) - sum(counts)
    words = [f"{kind} in {count}" for kind, count in zip(kinds, counts, strict=True)]
    words += [f"not comparable in {rest}"] if rest else []
    return f"{who} over {plural(len(comparisons), 'comparison')}: {listing(words)}"


def shown_words(panels: int, conditions: int, rows: int, methods: int) -> str:
    """A sentence for a caption: which part of the conditions and methods a figure shows."""
    words = []
    if conditions > panels:
        words.append(f"the first {panels} of {conditions} conditions")
    if methods > rows:
        words.append(f"the first {rows} of {methods} methods")
    return f" Shown: {' and '.join(words)}; the others are in the table." if words else ""
