"""``nlbench new``: a part of one's own, as a small whole file to start from."""

from __future__ import annotations

import argparse
import keyword
import re
from importlib import resources
from pathlib import Path

from nlbench.benchmark.errors import UserError, unknown
from nlbench.cli import options
from nlbench.noise import whole

TEXT = """\
Write NAME.py, a small whole example of a method, a noise model, a network, an augmentation, an
optimiser, a metric or a data set, to change into your own. It passes `nlbench check` as it is; a
suite names it as the last line that this command prints does.
"""
EXAMPLES = """\
  nlbench new method patience
  nlbench new noise blocks
  PYTHONPATH=. nlbench check blocks:BLOCKS
"""
# Kind -> how its template calls the part: a class, a constant or a function.
KINDS = {
    "method": "Template",
    "noise": "TEMPLATE",
    "model": "template",
    "augmentation": "TEMPLATE",
    "optimizer": "Template",
    "metric": "TEMPLATE",
    "dataset": "template",
}


def add(commands: options.Commands) -> None:
    """Register the command."""
    summary = "a method, noise model, network ... of your own, to start from"
    parser = options.command(commands, "new", summary, TEXT, EXAMPLES)
    parser.add_argument("kind", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("name", metavar="NAME", help="small letters, digits and _")
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path(), help="where to (default: here)"
    )
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    if args.kind not in KINDS:
        raise unknown("kind of part", args.kind, KINDS)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", args.name) or keyword.iskeyword(args.name):
        raise UserError(
            f"name {args.name!r:.80} should be one that Python can import: small letters, digits"
            " and _, a letter first"
        )
    path = args.out / f"{args.name}.py"
    if path.exists():
        raise UserError(f"{path} is there already; it is not overwritten: take another name")
    template = resources.files("nlbench.benchmark.templates") / f"{args.kind}.py"
    args.out.mkdir(parents=True, exist_ok=True)
    whole.write_text(path, named(template.read_text("utf-8"), args.name))
    part = f"{args.name}:{named(KINDS[args.kind], args.name)}"
    words = (
        part if args.kind != "dataset" else f"--kind dataset {part}"
    )  # a function, as a model is
    print(f"{path}: change it, then (in its folder)\n  PYTHONPATH=. nlbench check {words}")
    return 0


def named(text: str, name: str) -> str:
    """A template with its name in the place of `template`, in the three ways to write it."""
    camel = "".join(word.capitalize() for word in name.split("_"))
    kept = text.replace("a template", "a\0")  # the words, not the name
    for old, new in (("Template", camel), ("TEMPLATE", name.upper()), ("template", name)):
        kept = kept.replace(old, new)
    return kept.replace("a\0", "a template")
