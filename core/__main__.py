"""The experiments without a browser: `python -m core COMMAND … [--json]`.

With `--json`, one JSON object a line goes to stdout and nothing else; without it, a table and a progress bar.
Exit code 0 when it worked, 2 with one sentence on stderr when the input was wrong, 130 when it was interrupted.
"""

import argparse
import re
import sys
from importlib import import_module
from typing import NoReturn

from core.commands import COMMANDS
from core.errors import InputError


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one sentence, without the usage block."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with exit code 2."""
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(2)


def parser() -> argparse.ArgumentParser:
    """Build the parser from the registry of commands."""
    top = _Parser(prog="python -m core", description="Torchscape's experiments, without a browser.")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = import_module(f"core.commands.{name}")
        subparser = subparsers.add_parser(name, help=command.HELP, description=command.__doc__)
        subparser.add_argument("--json", action="store_true", help="one JSON object a line, and nothing else")
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return top


def with_negatives(argv: list[str]) -> list[str]:
    """Join each option with a negative number after it: before Python 3.13 argparse takes -1e-3 for an option.

    >>> with_negatives(["descend", "--w", "-1e-3", "--json"])
    ['descend', '--w=-1e-3', '--json']
    """
    joined: list[str] = []
    for word in argv:
        if joined and re.fullmatch(r"--[a-z][a-z-]*", joined[-1]) and re.fullmatch(r"-(\d|\.\d|inf|nan).*", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = parser().parse_args(with_negatives(sys.argv[1:] if argv is None else argv))
    try:
        exit_code: int = args.run(args)
    except InputError as error:
        print(f"python -m core {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main())
