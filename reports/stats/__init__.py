"""Statistics of paired replicates as pure functions on arrays.

Two units are kept apart: a *seed* is a replicate within a condition, a *condition* (data set x
noise type x rate) is a replicate across conditions, after averaging its seeds. Nothing here pools
seeds of several conditions into one test.
"""

from __future__ import annotations

from reports.stats.holm import holm
from reports.stats.interval import Interval, mean_interval
from reports.stats.paired import PairedTest, paired_t
from reports.stats.power import minimum_detectable_effect, power, seeds_needed
from reports.stats.residuals import residual_correlation
from reports.stats.signflip import sign_flip, sign_flips, smallest_p

__all__ = [
    "Interval",
    "PairedTest",
    "holm",
    "mean_interval",
    "minimum_detectable_effect",
    "paired_t",
    "power",
    "residual_correlation",
    "seeds_needed",
    "sign_flip",
    "sign_flips",
    "smallest_p",
]
