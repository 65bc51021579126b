"""``nlbench completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import argparse

from nlbench.benchmark.errors import UserError
from nlbench.cli import options

SHELLS = ("bash", "zsh", "tcsh")
TEXT = """\
Print a script with which the shell completes commands, options and files of nlbench. It names all
options as they are now: make it again after an update. Needs shtab: `pip install
nlbench[completion]`.
"""
EXAMPLES = """\
  nlbench completion bash > ~/.local/share/bash-completion/completions/nlbench
  nlbench completion zsh > ~/.zfunc/_nlbench      (a folder in fpath)
  source <(nlbench completion bash)               this shell only
"""


def add(commands: options.Commands) -> None:
    """Register the command."""
    parser = options.command(
        commands, "completion", "complete commands and options in a shell", TEXT, EXAMPLES
    )
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(call=call)


def call(args: argparse.Namespace) -> int:
    """Carry the command out."""
    if args.shell not in SHELLS:
        raise UserError(f"shell {args.shell!r}: should be one of {', '.join(SHELLS)}")
    try:
        import shtab
    except ModuleNotFoundError:
        raise UserError('completion needs shtab: pip install "nlbench[completion]"') from None
    from nlbench.cli.main import parser

    whole = parser()
    _with_files(whole)
    print(shtab.complete(whole, shell=args.shell))
    return 0


def _with_files(parser: argparse.ArgumentParser) -> None:
    """Let every value that is a file or a folder be completed as one."""
    from shtab import FILE

    for action in parser._actions:  # argparse has no public way to its options
        if isinstance(action, argparse._SubParsersAction):
            for inner in set(action.choices.values()):
                _with_files(inner)
        elif action.metavar in ("FILE", "DIR", "ARCHIVE", "TABLE", "DATA", "SUITE"):
            action.complete = FILE  # type: ignore[attr-defined]
