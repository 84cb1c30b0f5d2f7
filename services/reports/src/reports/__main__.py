"""serve | migrate | schemas | dead-letters"""

import argparse
import os
import sys

from servicekit import migrate
from servicekit.events import letters
from servicekit.process import run

from reports.app import build
from reports.settings import ReportsSettings
from reports.typesetting.schemas import publish


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m reports")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    schemas = commands.add_parser("schemas", help="write the JSON Schemas of the forms")
    schemas.add_argument("--school-year", type=int, default=2026, help="layouts in force in that year")
    letters.add_arguments(commands.add_parser("dead-letters", help="events that were not taken in"))
    asked = parser.parse_args(arguments)
    if asked.command == "migrate":
        migrate.upgrade("reports", os.environ["KOMU_MIGRATION_URL"])
    elif asked.command == "schemas":
        for path in publish(asked.school_year):
            print(path.name)
    elif asked.command == "dead-letters":
        return letters.run(build(ReportsSettings()), asked)
    else:
        run(build(ReportsSettings()).serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
