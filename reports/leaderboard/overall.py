"""overall.csv: pairs of methods over the conditions."""

from __future__ import annotations

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.leaderboard import settled
from nlbench.reports.leaderboard.columns import rope_columns
from nlbench.reports.text import rounded, significant

OVERALL_COLUMNS = (
    "profile", "accuracy_rule", "a", "b", "conditions", "higher", "ties", "lower",
    "decided_better", "decided_worse", "seeds", "test", "estimate", "ci_low", "ci_high", "p",
    "p_holm", "role", "words", "p_improvement", "p_improvement_low", "p_improvement_high",
    "p_wilcoxon", "smallest_p", "p_holm_conditions", "family_size", "words_conditions",
    "p_rope_worse", "p_rope_equal", "p_rope_better", "sentence", "sentence_conditions",
    *settled.COLUMNS,
)  # fmt: skip


def overall_table(results: Results) -> pd.DataFrame:
    """A row per profile and pair of methods over conditions: fixed ones first, then in general."""
    rows = []
    for whole in results.overall:
        for pair in whole.pairs:
            test, chance = pair.difference, pair.improvement
            rows.append(
                {
                    "profile": whole.profile,
                    "accuracy_rule": results.rule,
                    "a": pair.a,
                    "b": pair.b,
                    "conditions": len(whole.conditions),
                    "higher": pair.higher,
                    "ties": pair.ties,
                    "lower": pair.lower,
                    "decided_better": pair.better,
                    "decided_worse": pair.worse,
                    "seeds": test.n,
                    "test": test.test,
                    "estimate": rounded(test.estimate),
                    "ci_low": rounded(test.low),
                    "ci_high": rounded(test.high),
                    "p": significant(test.p),
                    "p_holm": significant(pair.p_holm),
                    "role": pair.role,
                    "words": pair.words,
                    "p_wilcoxon": significant(pair.signed_rank.p),
                    "smallest_p": significant(pair.signed_rank.floor),
                    "p_holm_conditions": significant(pair.p_conditions),
                    "family_size": len(whole.pairs),
                    "words_conditions": pair.general,
                    "p_improvement": significant(chance.value),
                    "p_improvement_low": significant(chance.low),
                    "p_improvement_high": significant(chance.high),
                    **rope_columns(pair.rope),
                    "sentence": pair.sentence(),
                    "sentence_conditions": pair.general_sentence(len(whole.pairs)),
                    **settled.of_profile(results, whole.profile, {pair.a, pair.b}),
                }
            )
    return pd.DataFrame(rows, columns=OVERALL_COLUMNS)
