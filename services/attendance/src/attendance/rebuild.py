"""Copies the register anew: projections are disposable, roster has the truth. Followed events take over after it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients
from servicekit.db import Database

from attendance.consumers import keep_class_roster, keep_staff_duties
from attendance.settings import Settings


async def rebuild(settings: Settings, tenants: Sequence[str]) -> None:
    """One transaction per board; a copy newer than the snapshot stays."""
    database = Database(settings.database_url, application_name="komu-attendance-rebuild")
    clients = Clients(settings)
    stub = clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")
    try:
        for tenant in tenants:
            stream = stub.SnapshotRoster(
                roster_pb2.SnapshotRosterRequest(), metadata=clients.as_workload(tenant), timeout=600
            )
            count = 0
            async with database.transaction(tenant) as tx:
                async for item in stream:
                    if item.HasField("class_roster"):
                        await keep_class_roster(tx, item.class_roster)
                    elif item.HasField("staff_duties"):
                        await keep_staff_duties(tx, item.staff_duties)
                    count += 1
            sys.stdout.write(f"{tenant}: {count} items copied from roster\n")
    finally:
        await clients.close()
        await database.close()
