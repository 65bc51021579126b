"""``nlbench toy``: the methods on points in the plane, as a picture and an animation."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from nlbench.benchmark.toy.data import GEOMETRIES
from nlbench.benchmark.toy.methods import methods_of
from nlbench.benchmark.toy.train import Setting
from nlbench.cli import options
from nlbench.toy import make_toy

METHODS = "ce,gce,drainage:alpha=1,drainage:alpha=0.1"
OUT = Path("results/reports/toy")
TEXT = """\
Train small networks on points in the plane whose labels are partly flipped, and draw what each
method makes of them: decision regions, the region where the drainage output has more probability
than any class, and the training points. Every method gets the same points, flips, first weights and
batches. Takes seconds on a CPU.

Writes toy.png, toy.pdf and toy.gif (the same over the epochs), runs.csv (the numbers of every
seed), epochs.csv (those of the picture's seed over the epochs), toy.json and index.md. The same
command gives the same bytes.
"""
EXAMPLES = """\
  nlbench toy
  nlbench toy --methods ce,drainage:alpha=0.01 --noise symmetric:0.6 --out mytoy
  nlbench toy --methods drainage:alpha=1:beta=0,drainage:alpha=1 --seeds 3 --out mytoy
  nlbench toy --data gaussians --noise pair:0.45 --seeds 0-9 --out mytoy
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(commands, "toy", "the methods as a picture", TEXT, EXAMPLES)
    default = Setting()
    kinds = "; ".join(f"{g.name}: {g.summary}" for g in GEOMETRIES.values())
    parser.add_argument("--data", metavar="NAME", default=default.data, help=f"{kinds}")
    parser.add_argument(
        "--noise",
        metavar="SPEC",
        default=default.noise,
        help="a noise line that needs no images (`nlbench list noise`), such as pair:0.45 or"
        " symmetric:0.4; asymmetric:RATE flips 0 <-> 1 and 2 -> 3 and leaves 3 clean, or names"
        " another map=FILE (default: %(default)s)",
    )
    parser.add_argument(
        "--methods",
        metavar="A,B",
        default=METHODS,
        help="NAME or NAME:PARAMETER=VALUE[:...] each, as in gce:q=0.5 (`nlbench list methods`);"
        " the first is the one others are compared with (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        metavar="0-4",
        default="0-4",
        help="each draws points, flips, first weights and batch order; the table is over all of"
        " them, the picture shows the first (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs", metavar="N", type=int, default=default.epochs, help="default: %(default)s"
    )
    parser.add_argument(
        "--points",
        metavar="N",
        type=int,
        default=default.per_class,
        help="training points of each class (default: %(default)s)",
    )
    parser.add_argument(
        "--still", action="store_true", help="no animation: half of the time is spent on it"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=OUT,
        help="folder to write (default: %(default)s)",
    )
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    asked = methods_of(options.methods(args.methods))
    setting = Setting(
        data=args.data,
        noise=args.noise,
        seeds=tuple(options.numbers(args.seeds)),
        epochs=args.epochs,
        per_class=args.points,
    )
    page = make_toy(setting, asked, args.out, _command(args), args.still)
    print(
        f"{page}\n{args.out}: {'toy.png, toy.pdf' + ('' if args.still else ', toy.gif')}, index.md"
    )
    return 0


def _command(args: argparse.Namespace) -> str:
    """The command line that makes the same files, every choice spelt out."""
    words = ["nlbench", "toy"]
    for name in ("data", "noise", "methods", "seeds", "epochs", "points"):
        words += [f"--{name}", str(getattr(args, name))]
    return shlex.join(words + (["--still"] if args.still else []))
