"""Sweeps of two hyper-parameters: how much they matter, and what validation would have chosen."""

from __future__ import annotations

from reports.sweep.find import Setting, Sweep, sweeps
from reports.sweep.page import headlines, sweep_texts

__all__ = ["Setting", "Sweep", "headlines", "sweep_texts", "sweeps"]
