"""Outbound gRPC: the whole register of a board from roster, for rebuilding the projection."""

from collections.abc import AsyncIterator

from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients

SNAPSHOT_DEADLINE_S = 300.0


async def snapshot_roster(clients: Clients, tenant: str) -> AsyncIterator[roster_pb2.SnapshotRosterReply]:
    """Every class, member of staff and school of the board, every school year."""
    stub = clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")
    request = roster_pb2.SnapshotRosterRequest(school_year=0)
    metadata = clients.as_workload(tenant)
    async for item in stub.SnapshotRoster(request, metadata=metadata, timeout=SNAPSHOT_DEADLINE_S):
        yield item
