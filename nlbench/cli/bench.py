"""``nlbench bench``: how fast is it here, measured side by side in one run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from nlbench import growth, workers
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.scale.store_way import FileServer
from nlbench.benchmark.speed import engines as bench_engines
from nlbench.benchmark.speed import pipeline, shared_data
from nlbench.cli import options, reliability
from nlbench.noise import bench as noise_bench
from nlbench.reports.render.files import write_text
from nlbench.reports.simulate import verdicts
from nlbench.reports.speed import bench as report_bench

TEXT = """\
Measure on this machine: labels per second of every noise model, images per second of our training
pipeline against a plain DataLoader loop of the same network and data, the training engines on
random images (CNN-8 and ResNets on a GPU, a small CNN on a CPU), small networks one by one and
stacked, and time and memory of a report of 100,000 made-up records, the first and the next one.
Figures are for this machine and this moment; compare ratios, not seconds.

`reliability`, only where it is named, attacks nlbench itself: broken input of every kind, full
disks, readers beside a report, writes that die at each file operation, killed processes, many
callers of one store. It prints how many tries held and failed (docs/reliability.md); the exit
status is 1 if one failed. `verdicts`, only where it is named too, measures how often the verdicts
of reports are wrong, intervals cover and true differences are found, in tables of known truth
(docs/statistics.md): three minutes of a processor. `growth` and `data`, only where they are named,
measure what a store of so many records costs each command, and how much memory a data set takes in
several processes together. `workers`, only where it is named, measures what a run costs the driver
of a cluster and a shared store, and simulates studies of up to 10,000 workers with that
(docs/scale.md).
"""
EXAMPLES = """\
  nlbench bench
  nlbench bench noise
  nlbench bench pipeline --data /data
  nlbench bench report --records 10000
  nlbench bench growth --records 10000
  nlbench bench data --dataset cifar10_jpeg --processes 1,16
  nlbench bench workers --workers 100,10000 --run-seconds 60
  nlbench bench reliability --attacks suites,disks --tries 100
  nlbench bench verdicts --out bench
  nlbench bench engines --device cuda --out bench
"""
# Not among those that are done where none is named: they measure no speed, or take an hour.
RELIABILITY, VERDICTS = NAMED = ("reliability", "verdicts")
Rows = Sequence[Mapping[str, Any]]
BENCHES: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "noise": lambda _args: noise_bench.run(),
    "pipeline": lambda args: pipeline.run(args.data, args.device),
    "engines": lambda args: bench_engines.run(args.device, args.out),
    "stack": lambda args: bench_engines.stacked(args.device),
    "report": lambda args: report_bench.run(args.records),
}
LARGE: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "growth": lambda args: growth.run(args.records),
    "data": lambda args: shared_data.run(args.dataset, args.data, _processes(args.processes)),
    "workers": lambda args: workers.run(
        _workers(args.workers),
        _seconds(args.run_seconds),
        FileServer(args.server_rate, args.latency / 1000),
        args.seed,
        options.note,
    ),
}
ALL = {**BENCHES, **LARGE}


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "bench", "measure speed on this machine", TEXT, EXAMPLES)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"of {', '.join((*ALL, *NAMED))}")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:N")
    parser.add_argument(
        "--records",
        metavar="N",
        type=options.count(1, 10**7),
        default=100_000,
        help="of report and growth; default 100,000",
    )
    parser.add_argument(
        "--dataset", metavar="NAME", default="fashion_mnist", help="of data; default fashion_mnist"
    )
    parser.add_argument(
        "--processes", metavar="N,M", default="1,2,4", help="of data; default 1,2,4"
    )
    parser.add_argument(
        "--workers",
        metavar="N,M",
        default="10,100,1000,10000",
        help="of workers: how many; default 10,100,1000,10000",
    )
    parser.add_argument(
        "--run-seconds",
        metavar="S,T",
        default="1,60,3600",
        help="of workers: mean seconds of a run; default 1,60,3600",
    )
    parser.add_argument(
        "--server-rate",
        metavar="N",
        type=options.count(1, 10**9),
        default=20_000,
        help="of workers: operations a second that the file server bears; default 20,000",
    )
    parser.add_argument(
        "--latency",
        metavar="MS",
        type=options.amount,
        default=1.0,
        help="of workers: milliseconds that one takes on its way; default 1",
    )
    parser.add_argument(
        "--tables",
        metavar="N",
        type=options.count(1, 10**6),
        default=4000,
        help="of each case of verdicts; default 4,000",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write engines.csv, engines.png, verdicts.md"
    )
    reliability.add_options(parser)
    options.add_data(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    chosen = args.what or list(BENCHES)
    for name in chosen:
        if name not in (*ALL, *NAMED):
            raise unknown("bench", name, (*ALL, *NAMED), "nlbench bench")
    failed = reliability.run(args) if RELIABILITY in chosen else 0
    for name in chosen:
        if name in ALL:
            print(f"{name}\n{tabulate(ALL[name](args), headers='keys', floatfmt=',.6g')}\n")
    if VERDICTS in chosen:
        _verdicts(args.tables, args.out)
    return failed


def _processes(text: str) -> tuple[int, ...]:
    return tuple(
        options.whole("--processes", word, 1, options.MOST_PROCESSES)
        for word in options.words(text)
    )


def _workers(text: str) -> tuple[int, ...]:
    return tuple(options.whole("--workers", word, 1, 10**5) for word in options.words(text))


def _seconds(text: str) -> tuple[float, ...]:
    found = []
    for word in options.words(text):
        try:
            found.append(options.amount(word))
        except argparse.ArgumentTypeError as error:
            raise UserError(f"--run-seconds: {error}") from error
        if not found[-1]:
            raise UserError("--run-seconds: a run of 0 seconds should be one of more")
    return tuple(found)


def _verdicts(tables: int, out: Path | None) -> None:
    text = verdicts.run(tables)
    print(text)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_text(text, out / "verdicts.md")
