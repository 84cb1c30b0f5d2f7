"""Outbound gRPC: the whole register of a board from roster, for rebuilding the projection."""

from __future__ import annotations

from collections.abc import AsyncIterator

from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients

SNAPSHOT_DEADLINE_S = 300.0


async def snapshot_roster(clients: Clients, tenant: str) -> AsyncIterator[roster_pb2.SnapshotRosterReply]:
    """Every school, class and member of staff of the board, every school year."""
    stub = clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")
    request = roster_pb2.SnapshotRosterRequest()
    async for item in stub.SnapshotRoster(request, metadata=clients.as_workload(tenant), timeout=SNAPSHOT_DEADLINE_S):
        yield item
