"""`python -m roster serve | migrate`"""

from __future__ import annotations

import argparse

from servicekit.migrate import upgrade
from servicekit.process import run

from roster.app import build
from roster.settings import Settings


def main() -> None:
    """Entry point of the process; settings come from the environment (KOMU_*)."""
    parser = argparse.ArgumentParser(prog="roster")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve gRPC, follow events, run imports")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    asked = parser.parse_args()
    settings = Settings()
    if asked.command == "migrate":
        upgrade("roster", settings.migration_url or settings.database_url)
    else:
        run(build(settings).serve())


if __name__ == "__main__":
    main()
