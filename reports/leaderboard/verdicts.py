"""verdicts.csv: the declared comparisons, gate by gate."""

from __future__ import annotations

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.leaderboard import settled
from nlbench.reports.text import rounded, significant

COLUMNS = (
    "profile", "accuracy_rule", "a", "b", "gate", "level", "where", "conditions", "left_out",
    "seeds", "test", "estimate", "ci_low", "ci_high", "df", "p", "p_holm", "claims", "words",
    "stands_at_gate", "closed_by", *settled.COLUMNS,
)  # fmt: skip


def verdicts_table(results: Results) -> pd.DataFrame:
    """A row per gate of every declared comparison, upper gates first."""
    rows = [
        (
            gate.profile,
            results.rule,
            gate.a,
            gate.b,
            gate.depth,
            gate.level,
            gate.where,
            len(gate.places),
            "; ".join(gate.left_out),
            gate.mean.n,
            gate.mean.test,
            rounded(gate.mean.estimate),
            rounded(gate.mean.low),
            rounded(gate.mean.high),
            significant(gate.mean.df),
            significant(gate.mean.p),
            significant(gate.p_holm),
            gate.claims,
            gate.words,
            gate.stands_at,
            gate.closed_by,
            *settled.of_profile(results, gate.profile, {gate.a, gate.b}, gate.places).values(),
        )
        for gate in results.gates
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
