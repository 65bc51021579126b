"""Statistics of paired replicates as pure functions on arrays.

Two units are kept apart: a *seed* is a replicate within a condition, a *condition* (data set x
noise type x rate) is a replicate across conditions, after averaging its seeds. Nothing here pools
seeds of several conditions into one test.
"""

from __future__ import annotations

from nlbench.reports.stats.bayes import Rope, signed_rank_rope, student_rope
from nlbench.reports.stats.best_set import MODERATED_FROM, BestSet, best_set
from nlbench.reports.stats.holm import holm, holm_known
from nlbench.reports.stats.interval import Interval, mean_interval
from nlbench.reports.stats.mcnemar import mcnemar
from nlbench.reports.stats.over_conditions import (
    Estimate,
    improvement,
    interquartile_mean,
    mean_rank,
    wilson,
)
from nlbench.reports.stats.paired import PairedTest, paired_t
from nlbench.reports.stats.power import (
    minimum_detectable_effect,
    power,
    sd_interval,
    seeds_needed,
)
from nlbench.reports.stats.profile import performance_profile
from nlbench.reports.stats.ranks import (
    Friedman,
    SignedRank,
    friedman,
    mean_ranks,
    signed_rank,
)
from nlbench.reports.stats.residuals import residual_correlation
from nlbench.reports.stats.seed_mean import SATTERTHWAITE, Differences, SeedMean, seed_mean
from nlbench.reports.stats.signflip import sign_flip, sign_flips, smallest_p
from nlbench.reports.stats.significance import (
    PAIRED_T,
    SIGN_FLIP,
    TESTS,
    WILCOXON,
    Sample,
    SignificanceTest,
    paired_tests,
    significance_test,
)
from nlbench.reports.stats.tost import Equivalence, tost
from nlbench.reports.stats.tree_holm import Tree, tree_holm

__all__ = [
    "MODERATED_FROM",
    "PAIRED_T",
    "SATTERTHWAITE",
    "SIGN_FLIP",
    "TESTS",
    "WILCOXON",
    "BestSet",
    "Differences",
    "Equivalence",
    "Estimate",
    "Friedman",
    "Interval",
    "PairedTest",
    "Rope",
    "Sample",
    "SeedMean",
    "SignedRank",
    "SignificanceTest",
    "Tree",
    "best_set",
    "friedman",
    "holm",
    "holm_known",
    "improvement",
    "interquartile_mean",
    "mcnemar",
    "mean_interval",
    "mean_rank",
    "mean_ranks",
    "minimum_detectable_effect",
    "paired_t",
    "paired_tests",
    "performance_profile",
    "power",
    "residual_correlation",
    "sd_interval",
    "seed_mean",
    "seeds_needed",
    "sign_flip",
    "sign_flips",
    "signed_rank",
    "signed_rank_rope",
    "significance_test",
    "smallest_p",
    "student_rope",
    "tost",
    "tree_holm",
    "wilson",
]
