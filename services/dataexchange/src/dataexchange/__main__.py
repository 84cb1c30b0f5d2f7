"""`python -m dataexchange COMMAND`."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

# command → (module, function that adds its arguments, function that runs it, what it does)
COMMANDS: dict[str, tuple[str, str, str, str]] = {
    "serve": ("dataexchange.app", "add_arguments", "serve", "start the service"),
    "migrate": ("dataexchange.app", "add_arguments", "migrate", "bring the database to this version"),
    "partner": ("dataexchange.commands.partner", "add_arguments", "run", "enter a partner for OneRoster REST"),
    "rebuild": ("dataexchange.rebuild", "add_arguments", "run", "copy the register anew for OneRoster"),
    "verify": ("dataexchange.commands.verify", "add_arguments", "run", "check a package, a receipt chain"),
    "directory": ("dataexchange.commands.directory", "add_arguments", "run", "keep a trust directory"),
    "keys": ("dataexchange.commands.directory", "add_key_arguments", "run_keys", "make an organisation's keys"),
    "demo": ("dataexchange.demo", "add_arguments", "run", "write the demo boards as OneRoster packages"),
    "check": ("dataexchange.check", "add_arguments", "run", "what the import would say of a OneRoster package"),
    "check-package": (
        "dataexchange.commands.check_package",
        "add_arguments",
        "run",
        "does a package follow its profile?",
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Only the module of the command that was asked for is imported: `verify` needs no database library."""
    arguments = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m dataexchange")
    commands = parser.add_subparsers(dest="command", required=True)
    runs: dict[str, Callable[[argparse.Namespace], int]] = {}
    for name, (module, adds, run, help_) in COMMANDS.items():
        command = commands.add_parser(name, help=help_)
        if arguments[:1] == [name] and find_spec(module) is not None:
            loaded = import_module(module)
            getattr(loaded, adds)(command)
            runs[name] = getattr(loaded, run)
    parsed = parser.parse_args(arguments)
    if parsed.command not in runs:
        parser.error(f"{parsed.command}: not installed")
    return runs[parsed.command](parsed)


if __name__ == "__main__":
    sys.exit(main())
