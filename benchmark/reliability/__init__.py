"""Attacks on the benchmark itself: broken input, killed processes, full disks, many writers."""
