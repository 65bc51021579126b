"""``nlbench run``: train what is missing of a suite."""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from dataclasses import replace

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.rehearse import Prepared, rehearse_suite
from nlbench.benchmark.executors.train_suite import train_suite
from nlbench.benchmark.runs.preemption import Pace, expected, expected_in_parts
from nlbench.benchmark.runs.progress import clock
from nlbench.benchmark.selection import shard
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import options, outcome, output, run_options
from nlbench.cli.leave import leaving
from nlbench.cli.particulars import particulars
from nlbench.cli.run_log import run_log
from nlbench.studies import check_report

CHECKPOINT = 10  # minutes, for the estimate where none are asked for
CENTURY = 100 * 365.25 * 86400
TEXT = """\
Train every run of a suite that has no record yet. A run is one network: data set, model, method,
noise and seed. Each finished run leaves one file in RESULTS/runs at once, so the command can be
stopped (even with kill -9) and given again: it goes on from what is done. RESULTS/logs has a file
for each call, with its command, its lines and when each was written. Runs that diverge or fail
are records too; --retry repeats the failed ones. Then `nlbench report SUITE` writes the tables.

The same command may be given several times, at once, on one machine or on several that share
RESULTS: each run is trained by one of them, and what one that died had begun is taken over by the
others. At the end each waits for what the others still train (--no-wait: it does not).

A record that another source of its method made does not count: the files of a method from outside
have changed since (its module and what that imports of its own package), or a built-in method has a
new version. Such runs are named and trained again; --keep-old keeps their records. --force repeats
what is done and unchanged. A record is replaced when its new run ends.

With --checkpoint, SIGUSR1 and SIGTERM let each run write one at the end of its epoch and stop; the
same command goes on from there. Without it, and by Ctrl-C, the command ends at once.

The exit status is 0 if every run has a sound record, 1 if some failed or are missing, 2 for bad
input or a worker that died, 128 and the number of the signal that stopped it.
"""
EXAMPLES = """\
  nlbench run quick
  nlbench run fashion --dry-run
  nlbench run cifar10 --device cuda --data /data
  nlbench run fashion --methods ce,drainage --noise symmetric:0.4 --seeds 0-1
  nlbench run drainage-ablation --methods drainage:alpha=0.1
  nlbench run quick --force gce
  nlbench run cifar10 --shard 3/16
  nlbench run cifar10 --scheduler tcp://head:8786
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "run", "train what is missing of a suite", TEXT, EXAMPLES)
    run_options.add(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    suite, how = _sharded(options.selected(args), args.shard), run_options.asked(args)
    between = run_options.seconds("--mean-time-between-preemptions", args.between)
    if between is not None and not (args.dry_run and between):
        raise UserError(
            "--mean-time-between-preemptions: takes a time above 0, and goes with --dry-run"
        )
    check_report(suite)
    if not args.dry_run:
        return _train(suite, args, how)
    prepared = rehearse_suite(suite, args.results, how)
    if not args.quiet:
        for note in prepared.notes:
            print(f"nlbench: {note}", file=sys.stderr)
    if args.json:
        output.print_json(outcome.planned(suite, prepared))
        return 0
    print(_describe(prepared))
    if between is not None:
        print(_preempted(prepared, between))
    for line in prepared.rehearse():
        print(f"not checked: {line}")
    return 0


def _train(suite: Suite, args: argparse.Namespace, how: TrainOptions) -> int:
    """Train; where runs write checkpoints, SIGUSR1 and SIGTERM make them leave the rest."""
    stream = io.StringIO() if args.quiet else None
    log = run_log(args.results, suite.name)
    if args.verbose:
        for line in particulars(suite, args.results, how):
            log(line)
            print(f"nlbench: {line}", file=sys.stderr)
    if how.checkpoint is None:
        trained = train_suite(suite, args.results, how, stream, log)
        return outcome.close(trained, suite, args, log)
    with leaving(args.hold) as leave:
        trained = train_suite(suite, args.results, replace(how, stop=leave.file), stream, log)
    status = outcome.close(trained, suite, args, log)
    return 128 + leave.number if leave.number and trained.missing else status


def _sharded(suite: Suite, text: str | None) -> Suite:
    """The part of a suite that ``--shard`` names."""
    if text is None:
        return suite
    return replace(suite, specs=shard(suite.specs, *run_options.part(text)))


def _describe(prepared: Prepared) -> str:
    """The plan in words."""
    plan, setup = prepared.plan, prepared.setup
    lines = [
        f"{len(plan.todo)} runs to train, {len(plan.done)} done; {setup.words}"
        f" x {prepared.options.threads} thread(s)"
    ]
    cells = Counter(
        (s.dataset.group, s.model, s.profile, s.noise, s.method.name) for s in plan.todo
    )
    lines += [
        f"  {dataset} {model} {profile}  {noise:28} {method:12} {count} seeds"
        for (dataset, model, profile, noise, method), count in cells.items()
    ]
    if prepared.seconds is not None:
        lines.append(f"about {clock(prepared.seconds)} at the pace of the runs already done")
    return "\n".join(lines)


def _preempted(prepared: Prepared, between: float) -> str:
    """How long a run takes if it is preempted now and then, in words."""
    pace = Pace.of(prepared.plan.done.values())
    often = f"preempted every {clock(between)} on average"
    if pace is None:
        return f"{often}: no run of this suite is done yet, so nobody knows how long one takes"
    minutes = prepared.options.checkpoint
    every = max(60 * (CHECKPOINT if minutes is None else minutes), pace.epoch)
    anew, goes_on = expected(pace.run, between), expected_in_parts(pace.run, between, every)
    return (
        f"{often}, a run of {clock(pace.run)} takes {_long(anew)} without checkpoints,"
        f" {_long(goes_on)} with one every {clock(every)}"
        + (f" (--checkpoint {CHECKPOINT})" if minutes is None else "")
    )


def _long(seconds: float) -> str:
    return clock(seconds) if seconds < CENTURY else "more than a century"
