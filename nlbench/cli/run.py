"""``nlbench run``: train what is missing of a suite."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections import Counter
from dataclasses import replace

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.options import ALL, TrainOptions
from nlbench.benchmark.executors.rehearse import Prepared, rehearse_suite
from nlbench.benchmark.executors.train_suite import train_suite
from nlbench.benchmark.runs.preemption import Pace, expected, expected_in_parts
from nlbench.benchmark.runs.progress import clock
from nlbench.benchmark.selection import shard
from nlbench.benchmark.suites.suite import Suite
from nlbench.benchmark.training.registry import AUTO
from nlbench.cli import options, outcome, output
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
    options.add_suite(parser)
    options.add_results(parser)
    options.add_data(parser)
    parser.add_argument(
        "--no-download", action="store_true", help="never use the network for a data set"
    )
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    parser.add_argument(
        "--gpus",
        metavar="N",
        help="all, or so many: one worker process per GPU of --device cuda",
    )
    parser.add_argument(
        "--workers",
        default="auto",
        metavar="N",
        help="processes that train side by side (default: one per core on the CPU, one on a GPU)",
    )
    parser.add_argument(
        "--threads",
        type=options.count(1, options.MOST_PROCESSES),
        default=1,
        metavar="N",
        help="CPU threads of each worker (default 1); another number gives other last digits",
    )
    parser.add_argument(
        "--executor",
        default="auto",
        metavar="NAME",
        help="serial, multiprocessing, or a joblib backend: loky (default), threading",
    )
    parser.add_argument(
        "--scheduler",
        metavar="URL",
        help="a dask scheduler, tcp://host:8786: its workers train, and return what this command"
        " writes (default: environment variable DASK_SCHEDULER_ADDRESS, unless --executor,"
        " --workers or --gpus is given; needs nlbench[dask], docs/scale.md)",
    )
    parser.add_argument(
        "--worker-wait",
        metavar="TIME",
        help="with --scheduler: end where no worker is there for so long: 90s, 30m, 1.5h (default"
        " 60s)",
    )
    parser.add_argument(
        "--loaders",
        default="auto",
        metavar="N",
        help="threads that decode images for each worker, for data sets that stay in files"
        " (default: its share of the cores; 0: the one that trains); changes no result",
    )
    _add_backend(parser)
    parser.add_argument(
        "--minutes",
        type=options.amount,
        metavar="M",
        help="start no run after M minutes; what is begun is finished, the next call goes on",
    )
    parser.add_argument(
        "--checkpoint",
        type=options.amount,
        metavar="M",
        help="write the state of each run at the end of an epoch, every M minutes (0: every epoch);"
        " a call that finds one goes on from it, with the same results (backends loop and graph)",
    )
    parser.add_argument(
        "--run-timeout",
        metavar="TIME",
        help="stop a run that trains for longer, and record it as failed: 90s, 30m, 1.5h",
    )
    parser.add_argument(
        "--no-wait",
        action="store_true",
        help="end with status 1, saying who has them, when others train all runs that are left",
    )
    _add_repeats(parser)
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts of the selected runs, e.g. 3/16, for machines that share no"
        " folder; each run is in one part, whatever is done",
    )
    parser.add_argument(
        "--begin",
        metavar="I/N",
        help="the I-th of N parts of the selected runs first, then the rest: for N callers of one"
        " results folder, so that they do not reach for the same runs; the end tells of that part",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="list what would be trained, refuse what cannot be, train nothing",
    )
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument(
        "-q", "--quiet", action="store_true", help="no notes, no progress; failures are still named"
    )
    talk.add_argument(
        "-v", "--verbose", action="store_true", help="also versions, machine, commit and folders"
    )
    output.add_json(parser)
    parser.add_argument(
        "--mean-time-between-preemptions",
        dest="between",
        metavar="TIME",
        help="with --dry-run: how long a run would take on machines that are taken away so often"
        " (90s, 30m, 2h), without and with checkpoints",
    )
    parser.set_defaults(call=call)


def _add_repeats(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--retry", action="store_true", help="repeat runs that failed")
    parser.add_argument(
        "--force",
        action="append",
        nargs="?",
        const="",
        metavar="METHODS",
        help="repeat runs that are done: those of these methods (named as for --methods), or all"
        " that are selected if none is named; give it after SUITE",
    )
    parser.add_argument(
        "--keep-old",
        action="store_true",
        help="keep records that another source of their method made",
    )


def _add_backend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend",
        default=AUTO,
        metavar="NAME",
        help="how to train: loop (step by step, any device), graph (CUDA graphs), stack (many small"
        " networks at once); default: loop, and on a GPU graph where it first proves itself there:"
        " it leaves the loop's weights in float64 (seen on an H200: docs/gpu.md)",
    )
    parser.add_argument(
        "--slots",
        type=options.count(1, 100_000),
        metavar="N",
        help="runs side by side in one worker (default: graph: from memory and a short probe;"
        " stack: 16)",
    )
    parser.add_argument(
        "--mode",
        default="strict",
        metavar="NAME",
        help="strict: equal bits on every call (default); fast: a GPU may choose algorithms by"
        " timing. It is in every record",
    )
    parser.add_argument(
        "--compile", action="store_true", help="graph: let inductor fuse the network (other bits)"
    )


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    suite, how = _sharded(options.selected(args), args.shard), asked(args)
    between = _seconds("--mean-time-between-preemptions", args.between)
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
    return suite if text is None else replace(suite, specs=shard(suite.specs, *_part(text)))


def _part(text: str, option: str = "--shard") -> tuple[int, int]:
    """``3/16`` as two numbers (UserError: anything else)."""
    first, _, last = text.partition("/")
    of = options.whole(option, last, 1, otherwise=" after a slash, as in 3/16")
    return options.whole(option, first, 1, of, f", up to the one after the slash, {of}"), of


def asked(args: argparse.Namespace) -> TrainOptions:
    """The options that the command line gives."""
    return TrainOptions(
        data=args.data,
        download=not args.no_download,
        device=args.device,
        gpus=args.gpus,
        workers=_number("--workers", args.workers),
        threads=args.threads,
        executor=args.executor,
        scheduler=_scheduler(args),
        worker_wait=_seconds("--worker-wait", args.worker_wait),
        loaders=_number("--loaders", args.loaders),
        backend=args.backend,
        slots=args.slots,
        mode=args.mode,
        compiled=args.compile,
        minutes=args.minutes,
        checkpoint=args.checkpoint,
        run_timeout=_seconds("--run-timeout", args.run_timeout),
        begin=ALL if args.begin is None else _part(args.begin, "--begin"),
        wait=not args.no_wait,
        retry=args.retry,
        force=_forced(args.force),
        keep_old=args.keep_old,
    )


def _number(option: str, text: str) -> int | None:
    if text == "auto":
        return None
    return options.whole(option, text, 0, options.MOST_PROCESSES, ", or auto")


def _scheduler(args: argparse.Namespace) -> str | None:
    """Whose workers train: the option's, or the environment's where nothing else is asked for."""
    if args.scheduler is not None:
        return str(args.scheduler)
    other = args.executor != "auto" or args.workers != "auto" or args.gpus is not None
    return None if other else os.environ.get("DASK_SCHEDULER_ADDRESS") or None


def _seconds(option: str, text: str | None) -> float | None:
    """``90s``, ``30m`` or ``1.5h`` in seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if found is None:
        raise UserError(f"{option} {text!r} should be a time such as 90s, 30m or 1.5h")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def _forced(given: list[str] | None) -> tuple[str, ...] | None:
    """The methods that every ``--force`` names; empty (all) if one names none."""
    if given is None:
        return None
    return (
        () if "" in given else tuple(m for text in given for m in options.methods(text, "--force"))
    )


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
