"""Label files to download: noisy labels of the usual settings, and the pages that describe them."""

from nlbench.benchmark.labels.release.check import check
from nlbench.benchmark.labels.release.files import SETTINGS, write

__all__ = ["SETTINGS", "check", "write"]
