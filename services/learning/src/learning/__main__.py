"""`python -m learning serve | migrate | rebuild-projections BOARD… | dead-letters | demo`"""

from __future__ import annotations

import argparse
import asyncio
import sys

from servicekit.events import letters
from servicekit.migrate import upgrade
from servicekit.process import run

from learning import demo
from learning.app import build
from learning.rebuild import rebuild_projections
from learning.settings import Settings


def main() -> int:
    """Entry point of the process; settings come from the environment (KOMU_*)."""
    parser = argparse.ArgumentParser(prog="learning")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve gRPC and HTTP, follow events")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    again = commands.add_parser("rebuild-projections", help="read register and results anew")
    again.add_argument("tenants", nargs="+", metavar="BOARD")
    demo.add_arguments(commands.add_parser("demo", help="register learning tools in a local stack"))
    letters.add_arguments(commands.add_parser("dead-letters", help="events that were not taken in"))
    asked = parser.parse_args()
    if asked.command == "demo":
        return demo.run(asked)
    settings = Settings()
    if asked.command == "migrate":
        upgrade("learning", settings.migration_url or settings.database_url)
    elif asked.command == "rebuild-projections":
        for tenant in asked.tenants:
            classes = asyncio.run(rebuild_projections(settings, tenant))
            sys.stdout.write(f"{tenant}: {classes} classes read from roster\n")
    elif asked.command == "dead-letters":
        return letters.run(build(settings), asked)
    else:
        run(build(settings).serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
