"""When the node counts as failed: every threshold of a failure signature, and why it is there.

They were set before any result of the studies that use them was looked at, but for the blind node:
that name was added when the first results of suite `extreme` showed nodes that hold a quarter of
the mass and tell nothing, which "no effect" does not cover. Its bounds are those of "no effect".
"""

from __future__ import annotations

COLLAPSE_MASS = 0.9
"""Drainage collapse: mean drainage mass of a run's training samples above this at the last epoch.

A node that took every mislabelled sample whole and nothing else would have a mean mass equal to the
noise rate, and no study here has a rate above 0.9. Above it the node must be taking rightly
labelled samples, and all classes together get less than a tenth of the probability.
"""

SILENT_MASS = 0.01
"""No effect, first half: mean drainage mass of the flipped samples below this at the last epoch.

An untrained network with ten classes gives the node 1 / 11 = 0.09. Below a ninth of that the node
has been driven out: it takes less than a hundredth of the samples that it is there for.
"""

SILENT_AUROC = (0.45, 0.55)
"""No effect, second half, and blind node: AUROC of the mass as detector of flipped labels in here.

A node may be small and still tell flipped from clean samples, so both halves are asked for. With
2,000 flipped among 5,000 samples chance alone moves an AUROC by 0.008 (one standard error): the
bounds are six of those, wide enough that a node outside them orders samples to some effect.
"""

CLEAN_MARGIN = 0.5
"""Lost clean accuracy: points of test accuracy below the baseline, on clean labels and equal seeds.

The half width of the region of practical equivalence of every study that declares none of its own.
The 95 % Student interval of the paired difference must lie below 0 as well. It is a warning, not a
verdict: no correction for several methods is made.
"""
