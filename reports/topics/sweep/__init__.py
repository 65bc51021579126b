"""Sweeps of two hyper-parameters: how much they matter, and what validation would have chosen."""

from __future__ import annotations

from nlbench.reports.topics.sweep.find import Setting, Sweep, sweeps
from nlbench.reports.topics.sweep.page import headlines, sweep_texts

__all__ = ["Setting", "Sweep", "headlines", "sweep_texts", "sweeps"]
