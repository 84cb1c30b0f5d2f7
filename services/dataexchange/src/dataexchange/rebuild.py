"""Copies the register anew and makes every OneRoster object again; a copy newer than the snapshot stays."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from servicekit.clients import Clients
from servicekit.db import Database

from dataexchange.clients.people import People
from dataexchange.consumers import keep
from dataexchange.settings import Settings


async def rebuild(settings: Settings, tenants: Sequence[str]) -> None:
    """One transaction per board. The running service makes the objects."""
    database = Database(settings.database_url, application_name="komu-dataexchange-rebuild")
    clients = Clients(settings)
    try:
        for tenant in tenants:
            count = 0
            async with database.transaction(tenant) as tx:
                async for item in People(clients).snapshot(tenant):
                    await keep(tx, item)
                    count += 1
            sys.stdout.write(f"{tenant}: {count} items copied from roster\n")
    finally:
        await clients.close()
        await database.close()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", action="append", required=True, help="repeatable")


def run(arguments: argparse.Namespace) -> int:
    asyncio.run(rebuild(Settings(), arguments.tenant))
    return 0
