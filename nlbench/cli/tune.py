"""``nlbench tune``: choose settings from the records of a suite with a table ``[tune]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.cli import options
from nlbench.noise import whole

TEXT = """\
Write the suite of the chosen settings. A suite with a table [tune] declares runs of `budget`
settings for every method, learning rate among them, on the table's own seeds; `nlbench run SUITE`
trains them as any others. This command then takes, for every method and condition, the setting with
the highest accuracy on held-out noisy labels, and writes a suite that runs it, profile `tuned`, on
the suite's seeds.
"""
EXAMPLES = "  nlbench run mine.toml && nlbench tune mine.toml --out mine-tuned.toml\n"


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(
        commands, "tune", "choose settings by noisy validation", TEXT, EXAMPLES
    )
    parser.add_argument("suite", metavar="SUITE", help="a suite with a table [tune], name or path")
    options.add_results(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", required=True, help="TOML to write")
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from nlbench.benchmark.runs import plan
    from nlbench.benchmark.store import archive
    from nlbench.benchmark.suites import settle
    from nlbench.benchmark.suites import suite as suites
    from nlbench.studies import sound

    suite = suites.load(args.suite)
    store = options.store_of(args)
    found = archive.stored(store, [spec.run_id for spec in suite.specs])
    text = settle.settle(suite, sound(found, options.note))
    for line in plan.outdated_lines(plan.make(suite, store)):
        options.note(f"{line}: `nlbench run {args.suite}` trains them again")
    try:
        whole.write_text(args.out, text)
    except OSError as error:
        raise UserError(f"--out {args.out}: cannot be written ({error})") from error
    options.note(f"wrote {args.out}: `nlbench run {args.out}` trains the chosen settings")
    return 0
