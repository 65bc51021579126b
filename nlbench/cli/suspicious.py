"""``nlbench suspicious``: which labels of a data set look wrong."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from nlbench.benchmark.store.results import check_unpublished
from nlbench.benchmark.suspicious.out_of_fold import EPOCHS, METHODS, STEPS, Setting
from nlbench.benchmark.suspicious.samples import SIZE, read
from nlbench.cli import options
from nlbench.suspects import find, write

TEXT = """\
Find the labels of a data set that look wrong. Small networks are trained on all folds but one and
judge that one, with each method; a label is suspicious where they give it little probability.

Writes suspicious.csv (every sample, most suspicious first: given label, better guess, score,
whether it is flagged, how many methods agree), contact_sheet.png (the most suspicious images) and
index.md. With --noise, labels are corrupted first: the truth is then known, and precision, recall
and AUROC are printed. Stopped and repeated, the command goes on from the folds that are done.
"""
EXAMPLES = """\
  nlbench suspicious photos/            a folder with a folder of images for each class
  nlbench suspicious arrays.npz --methods ce,gce,drainage --out mine
  nlbench suspicious fashion_mnist --noise instance:0.4 --train-per-class 300
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(
        commands, "suspicious", "which labels of your data look wrong", TEXT, EXAMPLES
    )
    default = Setting()
    parser.add_argument(
        "what",
        metavar="DATA",
        help="a folder of images, an .npz file, a table (people.csv:label=income), or a data set by"
        " name (`nlbench list datasets`)",
    )
    parser.add_argument(
        "--methods",
        metavar="A,B",
        default=",".join(METHODS),
        help="NAME or NAME:PARAMETER=VALUE[:...] each (default: %(default)s)",
    )
    parser.add_argument(
        "--noise", metavar="SPEC", help="corrupt the labels first (`nlbench list noise`)"
    )
    parser.add_argument("--train-per-class", type=options.count(1), metavar="N")
    parser.add_argument(
        "--folds",
        type=options.count(2),
        default=default.folds,
        metavar="N",
        help="parts of the data (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=options.count(1),
        metavar="N",
        help=f"of each training (default: {EPOCHS}, more where these are not {STEPS} steps)",
    )
    parser.add_argument(
        "--lr", type=options.amount, default=default.lr, help="learning rate (default: %(default)s)"
    )
    parser.add_argument(
        "--model", metavar="NAME", help="network (default: a small one that fits the images)"
    )
    parser.add_argument(
        "--size",
        type=options.count(8, 4096),
        metavar="PIXELS",
        help=f"to which images in files are cut (default: their own size, {SIZE} at most)",
    )
    parser.add_argument("--seed", type=options.count(0), default=0, metavar="S")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=options.count(1), default=1, metavar="N")
    parser.add_argument(
        "--top",
        type=options.count(1, 1000),
        default=60,
        metavar="N",
        help="images on the contact sheet (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-probabilities",
        action="store_true",
        help="write probabilities.npz: what each method predicts for each sample, out of fold",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="folder to write (default: results/reports/suspicious-DATA)",
    )
    options.add_data(parser)
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    out = args.out or Path("results/reports") / f"suspicious-{_plain(args.what)}"
    check_unpublished(out)
    samples = read(
        args.what,
        args.noise,
        root=args.data,
        train_per_class=args.train_per_class,
        size=args.size,
        seed=args.seed,
    )
    setting = Setting(
        folds=args.folds,
        epochs=args.epochs,
        lr=args.lr,
        model=args.model,
        seed=args.seed,
        device=args.device,
        threads=args.threads,
    )
    options.note(samples.described)
    found = find(samples, options.methods(args.methods), setting, out / "folds", options.note)
    print(write(found, out, _command(args, out), args.top, args.keep_probabilities))
    print(f"\n{out}: {', '.join(sorted(p.name for p in out.iterdir() if p.is_file()))}")
    return 0


def _plain(what: str) -> str:
    """A name for the folder: the last part of a path."""
    return re.sub(r"[^\w.-]+", "-", Path(what).name or "data").removesuffix(".npz")


def _command(args: argparse.Namespace, out: Path) -> str:
    """The command line that makes the same files, every choice spelt out."""
    words = ["nlbench", "suspicious", args.what]
    for name in (
        "noise",
        "train_per_class",
        "methods",
        "folds",
        "epochs",
        "lr",
        "model",
        "size",
        "seed",
    ):
        if (value := getattr(args, name)) is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    more = ["--keep-probabilities"] if args.keep_probabilities else []
    return shlex.join([*words, *more, "--out", str(out)])
