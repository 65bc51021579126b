"""``nlbench toy``: the methods on points in the plane, as a picture and an animation."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nlbench import baselines
from nlbench.baselines import Method
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.selection import variant
from nlbench.benchmark.toy import measure as toy_measure
from nlbench.benchmark.toy import train as toy
from nlbench.benchmark.toy.data import GEOMETRIES
from nlbench.benchmark.toy.train import Drawn, Setting
from nlbench.cli import options, toy_page
from nlbench.cli.toy_page import Result
from nlbench.reports.figures.style import save, styled
from nlbench.reports.figures.toy import Panel, Points, toy_animation, toy_figure

METHODS = "ce,gce,drainage:alpha=1,drainage:alpha=0.1"
OUT = Path("results/reports/toy")
FINE, COARSE = 301, 121  # points along each side of the figure's and of the animation's grid
GREEK = {"alpha": "α", "beta": "β"}
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
# What float(), int() and bool() do not read.
_WORDS: dict[str, object] = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class Asked:
    """One entry of ``--methods``: its text, what the figure calls it, the method."""

    text: str
    title: str
    method: Method


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
    asked = methods_of(args.methods)
    setting = Setting(
        data=args.data,
        noise=args.noise,
        seeds=tuple(options.numbers(args.seeds)),
        epochs=args.epochs,
        per_class=args.points,
    )
    drawn = [toy.draw(setting, seed) for seed in setting.seeds]
    results = [_result(each, setting, drawn) for each in asked]
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        _pictures(setting, drawn[0], results, args)
        page = toy_page.write(setting, drawn, results, _command(args), args.out, args.still)
    except OSError as error:
        raise UserError(f"--out {args.out}: cannot be written ({error.strerror})") from error
    print(
        f"{page}\n{args.out}: {'toy.png, toy.pdf' + ('' if args.still else ', toy.gif')}, index.md"
    )
    return 0


def methods_of(text: str) -> list[Asked]:
    """Read ``--methods``.

    Raises:
        MethodError: unknown method, hyper-parameter or value.
        UserError: none, or one twice.
    """
    asked = [_asked(word) for word in options.methods(text)]
    for at, each in enumerate(asked):
        if each.method in [other.method for other in asked[:at]]:
            raise UserError(f"--methods: {each.text!r} is the same as one before it")
    return asked


def _asked(word: str) -> Asked:
    """``name:alpha=0.1``; a colon without an equals sign belongs to the name (module:Class)."""
    name, settings = variant(word)
    params = {key: _value(value) for key, value in settings.items()}
    method = baselines.create(name, params)
    shown = [f"{GREEK.get(key, key)} = {_written(value)}" for key, value in params.items()]
    return Asked(word, ", ".join([method.title, *shown]), method)


def _value(text: str) -> object:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def _result(asked: Asked, setting: Setting, drawn: Sequence[Drawn]) -> Result:
    """Train one method and measure it: all seeds at the end, the first at every recorded epoch."""
    trained = toy.train(asked.method, setting, drawn)
    frames = range(len(trained.epochs))
    return Result(
        text=asked.text,
        title=asked.title,
        trained=trained,
        runs=tuple(toy_measure.measure(trained, drawn)),
        curve=tuple(toy_measure.measure(trained, drawn[:1], frame)[0] for frame in frames),
    )


def _pictures(
    setting: Setting, first: Drawn, results: Sequence[Result], args: argparse.Namespace
) -> None:
    epochs = results[0].trained.epochs
    above = f"{first.labels.flipped.sum()} of {len(first.points)} training labels are flipped"
    with styled():
        last = [
            _panel(each, setting, FINE, [len(epochs) - 1], len(results[0].runs)) for each in results
        ]
        title = f"{above}; after {setting.epochs} epochs"
        save(toy_figure(_points(setting, first, FINE), last, title), args.out, "toy")
        if args.still:
            return
        moving = [_panel(each, setting, COARSE, range(len(epochs)), 1) for each in results]
        titles = [f"{above}; epoch {epoch} of {setting.epochs}" for epoch in epochs]
        points = _points(setting, first, COARSE)
        toy_animation(points, moving, titles, args.out / "toy.gif")


def _points(setting: Setting, first: Drawn, size: int) -> Points:
    geometry = setting.geometry
    return Points(
        where=first.points,
        given=first.labels.noisy,
        flipped=first.labels.flipped,
        num_classes=setting.num_classes,
        reach=geometry.reach,
        best=geometry.bayes(toy_measure.grid(geometry.reach, size)),
    )


def _panel(result: Result, setting: Setting, size: int, frames: Sequence[int], seeds: int) -> Panel:
    grid = toy_measure.grid(setting.geometry.reach, size)
    seen = toy_measure.fields(result.trained, frames, 0, grid)
    notes = tuple(toy_page.note(result, frame, seeds) for frame in frames)
    return Panel(result.title, seen.classes, seen.extra, notes)


def _command(args: argparse.Namespace) -> str:
    """The command line that makes the same files, every choice spelt out."""
    words = ["nlbench", "toy"]
    for name in ("data", "noise", "methods", "seeds", "epochs", "points"):
        words += [f"--{name}", str(getattr(args, name))]
    return shlex.join(words + (["--still"] if args.still else []))
