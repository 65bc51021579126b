"""All attacks, and how often each is tried."""

from __future__ import annotations

from nlbench.benchmark.reliability import (
    dying,
    inputs,
    kills,
    outputs,
    record_attack,
    submissions,
    writers,
)
from nlbench.benchmark.reliability.attack import Attack

ANSWERS = "a status of 0, 1 or 2, and with 2 a line; no traceback; within a minute"
ATTACKS = (
    Attack("kills", 1000, lambda p: kills.kills(p.folder, p.seed), "no record lost, no orphan"),
    Attack("writers", 10, lambda p: writers.writers(p.folder), "every run trained once"),
    Attack(
        "records",
        10_000,
        lambda p: record_attack.tries(p.command, p.folder),
        "the file is named and set aside, the rest goes on",
    ),
    Attack("deaths", 1000, dying.deaths, "the file is as before or as after; nothing is left"),
    Attack("disks", 500, outputs.full_disks, "every file as before or as after; status 2"),
    Attack("readers", 10_000, outputs.readers, "every read finds a whole file"),
    Attack("suites", 10_000, inputs.broken_suites, ANSWERS),
    Attack("noise", 10_000, inputs.broken_noise_lines, ANSWERS),
    Attack("labels", 10_000, inputs.broken_label_files, ANSWERS),
    Attack("tables", 2_000, inputs.broken_tables, ANSWERS),
    Attack("submissions", 2_000, submissions.broken_submissions, ANSWERS),
    Attack("words", 10_000, inputs.broken_command_lines, ANSWERS),
)
