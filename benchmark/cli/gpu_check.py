"""``nlbench gpu-check``: what a borrowed card is needed for, in pieces of minutes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.cli import options

PIECES = ("check", "bench", "modes", "study")
TEXT = """\
Carry out one piece of the duties in docs/gpu.md within --minutes and pack what came of it (logs,
records, tables, a summary) into one file. The first step that fails ends the piece; the file is
written all the same. In the order in which they are worth having:

  check   the tests marked gpu, then the smallest real runs: loop, recorded steps twice
  bench   speed of the engines and of stacked networks
  modes   suite `modes` strict and fast, and the test of their equivalence
  study   suite cifar10-jpeg, as far as the time goes

Records of earlier pieces come in with --done, so that nothing is trained twice. At home:
`tar xf gpu-study.tar.gz && nlbench store import gpu-study/records-study.tar.gz`.

The exit status is 0 if every step went well, 1 if one failed, 2 for bad input.
"""
EXAMPLES = """\
  nlbench gpu-check check --data /data
  nlbench gpu-check study --data /data --done earlier.tar.gz
  nlbench gpu-check check --device cpu       a rehearsal: steps that need a GPU are skipped
  nlbench gpu-check bench --dry-run          the commands, nothing run
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(
        commands, "gpu-check", "the duties of docs/gpu.md in pieces", TEXT, EXAMPLES
    )
    parser.add_argument("piece", metavar="PIECE", help=f"of {', '.join(PIECES)}")
    parser.add_argument("--device", default="cuda", metavar="D", help="cuda (default), cuda:N, cpu")
    parser.add_argument(
        "--minutes", type=float, default=8.0, metavar="M", help="for the whole piece (default 8)"
    )
    parser.add_argument(
        "--done",
        nargs="*",
        default=(),
        metavar="FILE",
        type=Path,
        help="exports of `nlbench store export` to go on from",
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="folder to work in (default gpu-PIECE)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the archive (default gpu-PIECE.tar.gz)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say the commands, run nothing")
    options.add_data(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from benchmark import pieces
    from benchmark.device import resolve
    from benchmark.environment import environment
    from benchmark.errors import UserError, unknown

    if args.piece not in pieces.PIECES:
        raise unknown("piece", args.piece, pieces.PIECES, "nlbench gpu-check")
    if args.minutes <= 0:
        raise UserError(f"--minutes {args.minutes} must be above 0")
    work = args.work or Path(f"gpu-{args.piece}")
    place = pieces.Place(args.device, work, args.data, args.minutes)
    steps = list(pieces.PIECES[args.piece](place))
    if args.dry_run:
        for step in steps:
            print("python -m " + " ".join(step.words))
        return 0
    facts = environment(resolve(args.device))
    _take_in(args.done, work)
    done: list[pieces.Done] = []
    try:
        done = pieces.carry_out(steps, place, lambda line: print(line, file=sys.stderr), pieces.now)
    finally:
        out = pieces.pack(place, args.piece, done, facts, args.out or Path(f"{work}.tar.gz"))
        print(f"{out}: {out.stat().st_size:,} bytes", file=sys.stderr)
    return 1 if any(step.failed for step in done) else 0


def _take_in(files: list[Path], work: Path) -> None:
    """Earlier records into the stores of the study and of strict mode, which share runs."""
    from benchmark import archive
    from benchmark.errors import UserError
    from benchmark.store import Store

    for path in files:
        if not path.is_file():
            raise UserError(f"archive {path}: no such file")
        for name in ("study", "strict"):
            store = Store.open(work / name / "runs", create=True)
            archive.merge(store, archive.read(path))
