"""`python -m dataexchange partner`: enter a partner under a known id and secret, for the demo boards."""

import argparse
import asyncio
import sys
from pathlib import Path
from uuid import UUID

from servicekit.db import Database

from dataexchange.domain.partners import problems
from dataexchange.domain.rest.scopes import SCOPES
from dataexchange.settings import Settings
from dataexchange.usecases import partners


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--id", type=UUID, required=True, help="again the same: entered anew with this secret")
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--purpose", required=True)
    parser.add_argument("--scope", action="append", choices=sorted(SCOPES), help="repeatable; none: every scope")


def run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_enter(arguments, Settings()))


async def _enter(arguments: argparse.Namespace, settings: Settings) -> int:
    wanted = partners.Wanted(arguments.name, arguments.purpose, frozenset(arguments.scope or SCOPES), frozenset())
    for problem in problems(wanted.name, wanted.purpose, wanted.scopes):
        sys.stderr.write(f"{problem.field}: {problem.message}\n")
        return 2
    database = Database(settings.database_url, application_name="komu-dataexchange-partner")
    try:
        async with database.transaction(arguments.tenant) as tx:
            partner, _ = await partners.enter(tx, arguments.id, wanted, arguments.secret_file.read_text().strip())
        sys.stdout.write(f"{partner.client_id(arguments.tenant)}\n")
    finally:
        await database.close()
    return 0
