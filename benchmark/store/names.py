"""Names in records that speak of drainage and mean any method with an extra output.

Drainage was the first such method, and records keep their bytes. So its name stays for all of them
in files, and nowhere else in the engine.
"""

# The probability of the extra output: as an open-set score (nlbench.baselines.extra_output has the
# same name), as a criterion of wrong labels, and in the toy's columns.
PROBABILITY = "drainage"
# Curves over the epochs: its mean over the training samples of a kind, and how well it finds the
# flipped ones (area under the ROC curve).
MEAN_CLEAN = "drainage_clean"
MEAN_FLIPPED = "drainage_flipped"
MEAN_ALL = "drainage_all"
CURVE_AUROC = "detect_drainage"
# The training images where it is largest.
TOP_IMAGES = "drained"
# Columns of the toy: the share of points where it is the largest of all outputs, and the area.
SHARE_CLEAN = "drained_clean"
SHARE_FLIPPED = "drained_flipped"
TOY_AUROC = "auroc_drainage"
