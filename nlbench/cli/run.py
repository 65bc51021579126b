"""``nlbench run``: train what is missing of a suite."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.executors import executor as executors
from nlbench.benchmark.machine.device import cores, resolve
from nlbench.benchmark.machine.environment import environment
from nlbench.benchmark.runs import backend_check as proof
from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.plan import Plan
from nlbench.benchmark.runs.progress import Progress, clock
from nlbench.benchmark.runs.run import Context
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.speed import precision
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.training import BackendError, Choice, create
from nlbench.benchmark.training.registry import AUTO
from nlbench.cli import options, ready

MODES = ("strict", "fast")
# A backend that trains several runs side by side is handed so many times as many in one pack, so
# that a slot goes on with the next run while its neighbours are still training.
PACK = 4
TEXT = """\
Train every run of a suite that has no record yet. A run is one network: data set, model, method,
noise and seed. Each finished run leaves one file in RESULTS/runs at once, so the command can be
stopped (even with kill -9) and given again: it goes on from what is done. Runs that diverge or fail
are records too; --retry repeats the failed ones. Then `nlbench report SUITE` writes the tables.

A record that another source of its method made does not count: the files of a method from outside
have changed since (its module and what that imports of its own package), or a built-in method has a
new version. Such runs are named and trained again; --keep-old keeps their records. --force repeats
what is done and unchanged. A record is replaced when its new run ends.

The exit status is 0 if every run has a sound record, 1 if some failed, 2 for bad input.
"""
EXAMPLES = """\
  nlbench run quick
  nlbench run fashion --dry-run
  nlbench run cifar10 --device cuda --data /data
  nlbench run fashion --methods ce,drainage --noise symmetric:0.4 --seeds 0-1
  nlbench run drainage-ablation --methods drainage:alpha=0.1
  nlbench run quick --force gce
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
        type=int,
        default=1,
        metavar="N",
        help="CPU threads of each worker (default 1); another number gives other last digits",
    )
    parser.add_argument(
        "--executor",
        default="auto",
        metavar="NAME",
        help="serial, or a joblib backend: loky (default), threading, multiprocessing, dask, ...",
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
        type=float,
        metavar="M",
        help="start no run after M minutes; what is begun is finished, the next call goes on",
    )
    _add_repeats(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say what would be trained, refuse what cannot be, train nothing",
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
        " it leaves the loop's weights in float64 (not seen on a GPU yet: docs/gpu.md)",
    )
    parser.add_argument(
        "--slots",
        type=int,
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
    suite = options.selected(args)
    device = resolve(args.device)
    choice = _choice(args, device)
    executor, workers = _executor(args, device)
    loaders = _loaders(args.loaders, workers)
    store = None if args.dry_run and not _exists(args) else options.store_of(args, create=True)
    todo = plan.make(suite, store, args.retry, args.keep_old, options.forced(args, suite))
    for line in todo.damaged:
        print(f"nlbench: damaged record: {line}; it will be run again", file=sys.stderr)
    for line in todo.foreign.values():
        print(f"nlbench: left alone, neither run nor counted: {line}", file=sys.stderr)
    for line in plan.outdated_lines(todo):
        then = "kept" if args.keep_old else "run again (--keep-old keeps them)"
        print(f"nlbench: {line}: {then}", file=sys.stderr)
    if slow := precision.slow_bf16(todo.todo, device, args.threads):
        print(f"nlbench: warning: {slow}", file=sys.stderr)
    if args.dry_run or store is None:
        print(_describe(todo, workers, args.threads, str(device)))
        for line in ready.rehearse(todo.todo, args.data, not args.no_download, device):
            print(f"not checked: {line}")
        return 0
    if todo.todo:
        ready.fetch(todo.todo, args.data, not args.no_download)
        plan.check(todo.todo, args.data, device)
        if (
            args.backend == AUTO
            and device.type == "cuda"
            and not plan.streamed(todo.todo, args.data)
        ):
            reason = plan.refusal(todo.todo, "graph")
            choice = replace(choice, name=automatic(device, choice.strict, reason))
        if reason := plan.refusal(todo.todo, choice.name):
            raise UserError(reason)
        where = environment(device)
        print(
            f"{suite.name}: {len(todo.todo)} of {len(suite.specs)} runs to train on"
            f" {where['device']}, {workers} worker(s) x {args.threads} thread(s),"
            f" backend {choice.name}",
            file=sys.stderr,
        )
        until = None if args.minutes is None else time.time() + 60 * args.minutes
        on = "cuda:0" if args.gpus else str(device)
        ahead = device.type == "cuda"
        context = Context(args.data, on, args.threads, where, choice, until, loaders, ahead)
        _train(todo.todo, store, context, executor, create(choice).slots)
    return _close(plan.make(suite, store, keep_old=args.keep_old), todo)


def _choice(args: argparse.Namespace, device: torch.device) -> Choice:
    """The training backend that the command line asks for."""
    if args.mode not in MODES:
        raise unknown("mode", args.mode, MODES, "--mode")
    return Choice(args.backend, args.slots, args.mode == "strict", args.compile).resolve(device)


def automatic(device: torch.device, strict: bool, reason: str = "") -> str:
    """The backend for a CUDA device: ``graph`` if it proves itself there and now, else ``loop``.

    Args:
        device: a CUDA device.
        strict: see :func:`nlbench.benchmark.runs.backend_check.graph_fails`.
        reason: why graph is not even tried, in words; empty where it is.
    """
    reason = reason or proof.graph_fails(str(device), strict)
    print(
        f"backend graph is not used, loop trains: {reason} (--backend graph uses it nevertheless)"
        if reason
        else "backend graph leaves the loop's weights in float64 on this device: it trains",
        file=sys.stderr,
    )
    return "loop" if reason else "graph"


def _executor(args: argparse.Namespace, device: torch.device) -> tuple[executors.Executor, int]:
    """Who does the runs, and how many workers that is."""
    if args.gpus is not None:
        if args.workers != "auto" or args.executor != "auto" or device.type != "cuda":
            raise UserError(
                f"--gpus {args.gpus} is one worker per GPU: it goes with --device cuda and without"
                " --workers and --executor"
            )
        visible = executors.gpus(args.gpus)
        return executors.Gpus(visible), len(visible)
    workers = _workers(args.workers, args.threads, device.type)
    executors.check_threads(workers, args.threads, cores())
    return executors.create(args.executor, workers), workers


def _train(
    specs: Sequence[RunSpec],
    store: Store,
    context: Context,
    executor: executors.Executor,
    slots: int,
) -> None:
    size = 1 if slots == 1 else PACK * slots
    try:
        with Progress(store, specs):
            executor.run(executors.Worker(store, context), executors.packs(specs, size))
    except BackendError:
        raise
    except OSError as error:
        raise UserError(
            f"store {store.root}: cannot be written ({error.strerror or error}); what is done is"
            " kept, the same command goes on"
        ) from error
    except Exception as error:  # joblib's own: a worker was killed, say
        raise UserError(
            f"a worker died ({type(error).__name__}: {str(error).splitlines()[0]}); what is done is"
            " kept, the same command goes on; with fewer --workers it needs less memory"
        ) from error


def _workers(text: str, threads: int, device: str) -> int:
    """``auto``: as many as fit on the cores, one on a GPU."""
    if text == "auto":
        return 1 if device == "cuda" else max(1, cores() // max(1, threads))
    if not text.isdecimal():
        raise UserError(f"--workers {text!r} should be a number, or auto")
    return int(text)


def _loaders(text: str, workers: int) -> int:
    """``auto``: the cores that are left to each worker, at least one."""
    if text == "auto":
        return max(1, cores() // workers)
    if not text.isdecimal():
        raise UserError(f"--loaders {text!r} should be a number, or auto")
    return int(text)


def _exists(args: argparse.Namespace) -> bool:
    return bool((args.results / "runs").exists())


def _describe(todo: Plan, workers: int, threads: int, device: str) -> str:
    """The plan in words."""
    lines = [
        f"{len(todo.todo)} runs to train, {len(todo.done)} done;"
        f" {device}, {workers} worker(s) x {threads} thread(s)"
    ]
    cells = Counter(
        (s.dataset.group, s.model, s.profile, s.noise, s.method.name) for s in todo.todo
    )
    lines += [
        f"  {dataset} {model} {profile}  {noise:28} {method:12} {count} seeds"
        for (dataset, model, profile, noise, method), count in cells.items()
    ]
    # Runs trained side by side each took the time of all of them.
    seconds = [
        r.timing["seconds"] / r.environment.get("slots", 1)
        for r in todo.done.values()
        if r.status == "ok"
    ]
    if seconds and todo.todo:
        left = sum(seconds) / len(seconds) * len(todo.todo) / workers
        lines.append(f"about {clock(left)} at the pace of the runs already done")
    return "\n".join(lines)


def _close(result: Plan, before: Plan) -> int:
    """Say how the suite stands; 1 if something failed, is missing or cannot be read."""
    counts = result.statuses
    parts = [f"{counts[status]} {status}" for status in ("ok", "diverged", "failed")]
    print(f"{', '.join(parts)}, {len(result.todo)} missing", file=sys.stderr)
    left = sum(result.done.get(run_id) == old for run_id, old in before.replaced.items())
    if left:
        print(f"{left} of the runs to repeat have their earlier record still", file=sys.stderr)
    for record in result.done.values():
        if record.status == "failed":
            print(f"  failed: {record.spec}: {(record.error or {})['message']}", file=sys.stderr)
    return 1 if counts["failed"] or result.todo or result.foreign else 0
