"""serve | migrate | rebuild-projections BOARD… | dead-letters"""

import argparse
import asyncio
import os
import sys

from servicekit import migrate
from servicekit.events import letters
from servicekit.process import run

from grades.app import build, rebuild_projections
from grades.settings import GradesSettings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m grades")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    rebuild = commands.add_parser("rebuild-projections", help="read the register anew from roster")
    rebuild.add_argument("tenants", nargs="+", help="boards")
    letters.add_arguments(commands.add_parser("dead-letters", help="events that were not taken in"))
    asked = parser.parse_args(arguments)
    if asked.command == "migrate":
        migrate.upgrade("grades", os.environ["KOMU_MIGRATION_URL"])
        return 0
    settings = GradesSettings()
    if asked.command == "serve":
        run(build(settings).serve())
        return 0
    if asked.command == "dead-letters":
        return letters.run(build(settings), asked)
    for tenant in asked.tenants:
        classes = asyncio.run(rebuild_projections(settings, tenant))
        print(f"{tenant}: {classes} classes read from roster")
    return 0


if __name__ == "__main__":
    sys.exit(main())
