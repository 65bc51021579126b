"""The leaderboard's columns: what each means, version by version.

Two scopes share the file: ``condition`` rows (one method in one condition, replicates are seeds)
and ``overall`` rows (one method over all whole conditions of a profile, replicates are conditions).
Percentages are in 0..100, rates and probabilities in 0..1, empty means none.
"""

from __future__ import annotations

from nlbench.benchmark.metrics import Metric
from nlbench.reports.stats import Rope
from nlbench.reports.text import significant

LEADERBOARD_SCHEMA = 2
LEADERBOARD: dict[str, str] = {
    "schema": "version of these columns",
    "scope": "condition or overall",
    "suite": "name of the study",
    "suite_sha256": "identity of its declared runs",
    "data_label": "data set as tables must name it",
    "dataset": "registered name of the data set",
    "train_per_class": "first so many training images of each class; empty = all",
    "holdout": "share of the training set held out for validation",
    "model": "network",
    "profile": "official (each method's setting in the release that its page names), matched"
    " (learning rate, L1, L2, precision and epochs equal for all), tuned, or not matched (...);"
    " with what varies where a study has several matched recipes, for overall",
    "method": "method, with what varies where its name is not enough",
    "method_name": "registered name of the method",
    "params": "its hyper-parameters, JSON",
    "recipe": "its learning rate, L1, L2, precision and epochs",
    "condition": "canonical noise line",
    "noise_drawn": "the line with all options: map, scaling, count",
    "noise_type": "the line without its rate",
    "nominal_rate": "noise rate asked for",
    "realised_rate": "mean share of labels that changed",
    "accuracy_rule": "last, noisy_val, clean_val or oracle",
    "n": "replicates with a value (seeds; conditions for overall)",
    "expected_n": "declared replicates",
    "mean": "mean test accuracy, percent",
    "sd": "standard deviation (n - 1) over seeds, empty below 2; over condition means for overall",
    "ci_low": "95 % Student bound of the mean over seeds; for overall over the seed by seed means",
    "ci_high": "its upper bound",
    "median": "median over seeds; over condition means for overall",
    "min": "lowest seed; worst condition mean for overall",
    "max": "highest seed; best condition mean for overall",
    "iqm": "interquartile mean of all runs (overall only)",
    "worst_condition": "where the worst condition mean is (overall only)",
    "rank": "rank of the mean, 1 = best, ties averaged; mean rank for overall",
    "tie_group": "1 = the 95 % best set, 2 = those whom nobody of the rest beats, ...; by one-sided"
    " paired t tests over seeds, for overall of the mean over the conditions",
    "in_best_set": "1 in tie group 1: no other method is shown to be better",
    "baseline": "method that the differences are taken to",
    "diff": "mean paired difference to the baseline, points",
    "diff_ci_low": "95 % Student bound of it",
    "diff_ci_high": "its upper bound",
    "diff_p_holm": "two-sided p of the suite's test (paired t unless it names another) after Holm"
    " over the family",
    "diverged": "runs with non-finite loss or weights; they count with 100 / K percent",
    "failed": "runs that raised; they have no value",
    "missing": "declared runs without a record",
    "collapsed": "runs at chance level (at most 1.5 / K, never 5 points above 1 / K)",
    "paired": "1 if all fingerprints agree with the other methods of the condition",
    "note": "what to know before using the row",
    "noise_fingerprints": "seed:first 16 hex digits of the label set's SHA-256",
    "seeds": "declared seeds",
    "device": "devices of the runs",
    "torch": "versions of the runs",
    "nlbench": "versions of the runs",
    "commit": "commits of the runs",
}


def measure_columns(metric: Metric) -> tuple[str, str, str]:
    """Columns at the end, of a measure that the suite asks for (empty in overall rows).

    Mean and standard deviation over seeds in hundredths, and how many seeds have it.
    """
    return f"{metric.name}_mean", f"{metric.name}_sd", f"{metric.name}_n"


def measure_column(metric: Metric) -> str:
    """Column of runs.csv with a measure that the suite asks for, in hundredths."""
    return f"measure_{metric.name}"


# Columns of the region of practical equivalence.
ROPE = ("p_rope_worse", "p_rope_equal", "p_rope_better")


def rope_columns(rope: Rope | None) -> dict[str, float | None]:
    """Probabilities that a difference lies below, within and above the region of equivalence."""
    values = (None, None, None) if rope is None else (rope.worse, rope.equal, rope.better)
    return {name: significant(value) for name, value in zip(ROPE, values, strict=True)}
