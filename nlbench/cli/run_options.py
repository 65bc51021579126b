"""The options of ``nlbench run``, and what they come to; ``nlbench slurm`` reads them too."""

from __future__ import annotations

import argparse
import os
import re

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.options import ALL, TrainOptions
from nlbench.benchmark.training.registry import AUTO
from nlbench.cli import options, output


def add(parser: argparse.ArgumentParser) -> None:
    """Every option of the command."""
    options.add_suite(parser)
    options.add_results(parser)
    options.add_data(parser)
    _add_place(parser)
    _add_backend(parser)
    _add_limits(parser)
    _add_repeats(parser)
    _add_parts(parser)
    _add_talk(parser)


def _add_place(parser: argparse.ArgumentParser) -> None:
    """Where the data are, and what trains."""
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
        help="serial, multiprocessing, a joblib backend: loky (default), threading; or module:NAME,"
        " yours",
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


def _add_backend(parser: argparse.ArgumentParser) -> None:
    """How it is trained."""
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


def _add_limits(parser: argparse.ArgumentParser) -> None:
    """How long, and what is kept of a run that is cut off."""
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
        help="end with status 1, naming who has them, when others train all runs that are left",
    )


def _add_repeats(parser: argparse.ArgumentParser) -> None:
    """What is trained again."""
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


def _add_parts(parser: argparse.ArgumentParser) -> None:
    """Which part of the runs, and whether they are trained at all."""
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
        " results folder, so that they do not reach for the same runs; the end is about that part",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="list what would be trained, refuse what cannot be, train nothing",
    )


def _add_talk(parser: argparse.ArgumentParser) -> None:
    """What is printed."""
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
        worker_wait=seconds("--worker-wait", args.worker_wait),
        loaders=_number("--loaders", args.loaders),
        backend=args.backend,
        slots=args.slots,
        mode=args.mode,
        compiled=args.compile,
        minutes=args.minutes,
        checkpoint=args.checkpoint,
        run_timeout=seconds("--run-timeout", args.run_timeout),
        begin=ALL if args.begin is None else part(args.begin, "--begin"),
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


def seconds(option: str, text: str | None) -> float | None:
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


def part(text: str, option: str = "--shard") -> tuple[int, int]:
    """``3/16`` as two numbers (UserError: anything else)."""
    first, _, last = text.partition("/")
    of = options.whole(option, last, 1, otherwise=" after a slash, as in 3/16")
    return options.whole(option, first, 1, of, f", up to the one after the slash, {of}"), of
