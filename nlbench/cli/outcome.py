"""What ``nlbench run`` prints of a plan and at its end, in words and as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from nlbench.benchmark.executors.rehearse import Prepared
from nlbench.benchmark.executors.train_suite import Trained
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import output
from nlbench.cli.status import failure


def planned(suite: Suite, prepared: Prepared) -> dict[str, object]:
    """The plan as JSON has it."""
    return {
        "suite": suite.name,
        "todo": [str(spec) for spec in prepared.plan.todo],
        "done": len(prepared.plan.done),
        "where": prepared.setup.words,
        "seconds": prepared.seconds,
        "not_checked": list(prepared.rehearse()),
    }


def _outcome(trained: Trained, suite: Suite) -> dict[str, object]:
    """The state of the suite as JSON has it."""
    return {
        "suite": suite.name,
        "complete": trained.complete,
        **{name: trained.counts[name] for name in ("ok", "diverged", "failed")},
        "missing": len(trained.missing),
        "not_repeated": trained.not_repeated,
        "elsewhere": list(trained.elsewhere),
        "failures": [failure(run) for run in trained.failed],
    }


def close(
    trained: Trained, suite: Suite, args: argparse.Namespace, log: Callable[[str], None]
) -> int:
    """Print the state of the suite; 1 if something failed, is missing or cannot be read."""
    lines = list(_lines(trained))
    for line in lines:
        log(line)
    if args.json:
        output.print_json(_outcome(trained, suite))
    elif not (args.quiet and trained.complete):
        print("\n".join(lines), file=sys.stderr)
    return 0 if trained.complete else 1


def _lines(trained: Trained) -> Iterator[str]:
    parts = [f"{trained.counts[status]} {status}" for status in ("ok", "diverged", "failed")]
    yield f"{', '.join(parts)}, {len(trained.missing)} missing"
    if trained.not_repeated:
        yield f"{trained.not_repeated} of the runs to repeat have their earlier record still"
    for owner in trained.elsewhere:
        yield f"  trained elsewhere: {owner}"
    for run in trained.failed:
        yield f"  failed: {run.spec}: {run.facts.message}"
