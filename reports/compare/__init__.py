"""Comparisons: pairing, tests, verdicts, ranks, across conditions."""
