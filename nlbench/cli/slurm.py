"""``nlbench slurm``: a suite as an array job of SLURM."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors import slurm
from nlbench.benchmark.executors.rehearse import missing
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.cli import options, run, run_options

TEXT = """\
Print a job script for SLURM that trains what is missing of a suite; --submit hands it to sbatch.
The script is an array of equal tasks on a file system that all nodes share. Each task trains runs
that no other task has begun, so nothing is trained twice and no task is tied to its share. Some
minutes before its time is over, each run writes a checkpoint at the end of its epoch, and the task
goes back into the queue. There are no more tasks than bundles of missing runs; when all are done,
nothing is printed.

Clusters without a shared folder: `nlbench run --shard I/N` on each machine, then `nlbench store
export` and `import`. See docs/scale.md.
"""
EXAMPLES = """\
  nlbench slurm cifar10 --array 16 --time 4:00:00 --gpus 1
  nlbench slurm cifar10 --array 16 --time 4:00:00 --gpus 1 --submit
  nlbench slurm fashion --array 200%20 --time 30 --cpus 4 --bundle 20 --sbatch=--partition=long
  nlbench slurm cifar10 --array 4 --time 8:00:00 --gpus 1 --run="--backend graph --mode fast"
"""
PARTS = ("profile", "methods", "noise", "seeds")
# Each task would repeat them, and again after each requeue; or they train nothing, or elsewhere.
REFUSED = ("retry", "force", "dry_run", "shard", "scheduler")


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "slurm", "a suite as an array job of SLURM", TEXT, EXAMPLES)
    options.add_suite(parser)
    options.add_results(parser)
    options.add_data(parser)
    number = options.count(1, 10**6)
    parser.add_argument(
        "--array",
        metavar="N[%M]",
        required=True,
        help="most tasks, and after %% how many of them at a time",
    )
    parser.add_argument(
        "--time", metavar="TIME", required=True, help="limit of a task, as sbatch reads it: 4:00:00"
    )
    parser.add_argument(
        "--gpus",
        type=options.count(0, options.MOST_PROCESSES),
        default=0,
        metavar="N",
        help="GPUs of a task (default 0: it trains on CPUs)",
    )
    parser.add_argument("--cpus", type=number, default=1, metavar="N", help="CPUs of a task")
    parser.add_argument(
        "--bundle",
        type=number,
        default=1,
        metavar="N",
        help="a task for each N missing runs at most, so that short runs are not a task each",
    )
    parser.add_argument(
        "--lead",
        type=options.count(1, 65535),
        default=300,
        metavar="S",
        help="seconds before its end at which a task is told; longer than an epoch (default 300)",
    )
    parser.add_argument(
        "--checkpoint",
        type=options.amount,
        default=10,
        metavar="M",
        help="minutes between two checkpoints of a run besides (default 10)",
    )
    parser.add_argument(
        "--sbatch",
        action="append",
        default=[],
        metavar="OPTION",
        help="another option of sbatch, e.g. --sbatch=--partition=long; may be repeated",
    )
    parser.add_argument("--submit", action="store_true", help="hand the script to sbatch")
    parser.add_argument(
        "--run",
        action="append",
        default=[],
        metavar="OPTIONS",
        help='options for the `nlbench run` of each task, e.g. --run="--backend graph --mode fast"',
    )
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    words = _words(args)
    suite, todo = _missing(words)
    if not todo:
        options.note(f"{suite}: every run has a record; there is nothing to submit")
        return 0
    job = slurm.Job(
        name=suite,
        command=[sys.executable, "-m", "nlbench", *words],
        array=slurm.Array.parse(args.array).for_runs(len(todo), args.bundle),
        missing=len(todo),
        time=args.time,
        gpus=args.gpus,
        cpus=args.cpus,
        lead=args.lead,
        sbatch=args.sbatch,
    )
    text = slurm.script(job)
    _warn_of_data(todo, args.data)
    print(slurm.submit(text) if args.submit else text, end="\n" if args.submit else "")
    return 0


def _words(args: argparse.Namespace) -> list[str]:
    """The command of a task; its paths are absolute, for it may begin in another folder."""
    suite = Path(args.suite)
    words = ["run", str(suite.absolute()) if suite.suffix == ".toml" else args.suite]
    for part in PARTS:
        if (value := getattr(args, part)) is not None:
            words += [f"--{part}", value]
    words += ["--results", str(args.results.absolute())]
    if args.data is not None:
        words += ["--data", str(args.data.absolute())]
    words += ["--device", "cuda" if args.gpus else "cpu"]
    words += ["--gpus", str(args.gpus)] if args.gpus > 1 else []
    more = [word for text in args.run for word in _split(text)]
    return [*words, "--checkpoint", f"{args.checkpoint:g}", "--no-wait", *more]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UserError(f"--run {text!r:.200}: {error}") from error


def _missing(words: list[str]) -> tuple[str, tuple[RunSpec, ...]]:
    """The suite's name and the runs that the command of a task would find to train now."""
    parser: argparse.ArgumentParser = options.Parser(prog="nlbench slurm")
    run.add(parser.add_subparsers())
    args = parser.parse_args(words)
    for name in REFUSED:
        if getattr(args, name):
            option = name.replace("_", "-")
            raise UserError(f"slurm: --{option} is for one call of `nlbench run`, not for tasks")
    suite = options.selected(args)
    return suite.name, missing(suite, args.results, run_options.asked(args))


def _warn_of_data(specs: tuple[RunSpec, ...], root: Path | None) -> None:
    for name in dict.fromkeys(name for spec in specs for name in spec.dataset.names):
        try:
            datasets.find(name, root, download=False)
        except datasets.NotDownloadedError:
            options.note(f"data set {name!r} is not there yet: every task would download it")
