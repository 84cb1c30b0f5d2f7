"""Names and the board for the projection, and the whole register when it is built anew: from roster, as a service."""

from collections.abc import AsyncIterator, Sequence

import grpc
from komu.common.v1 import common_pb2
from komu.roster.v1 import people_pb2, people_pb2_grpc, roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients, raise_for

from dataexchange.domain.roster_objects.sources import Board, Names

AT_ONCE = 2000
WITHIN_S = 20.0
SNAPSHOT_S = 600.0


class People:
    """Who people are, as the outside may know them."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def names(self, tenant: str, ids: Sequence[str]) -> tuple[Board | None, dict[str, Names]]:
        """The board (None before the first roster) and the people whom it knows."""
        stub: people_pb2_grpc.PeopleServiceAsyncStub = self._clients.stub(people_pb2_grpc.PeopleServiceStub, "roster")
        board: Board | None = None
        found: dict[str, Names] = {}
        try:
            for start in range(0, max(len(ids), 1), AT_ONCE):
                reply = await stub.SnapshotPeople(
                    people_pb2.SnapshotPeopleRequest(person_ids=ids[start : start + AT_ONCE]),
                    metadata=self._clients.as_workload(tenant), timeout=WITHIN_S,
                )  # fmt: skip
                board = Board(reply.board.id, reply.board.code, reply.board.name) if reply.board.id else None
                found |= {one.person_id: _names(one.names) for one in reply.people}
        except grpc.RpcError as error:
            raise_for(error)
        return board, found

    async def snapshot(self, tenant: str) -> AsyncIterator[roster_pb2.SnapshotRosterReply]:
        """Every aggregate of the board."""
        stub: roster_pb2_grpc.RosterServiceAsyncStub = self._clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")
        request = roster_pb2.SnapshotRosterRequest()
        metadata = self._clients.as_workload(tenant)
        async for item in stub.SnapshotRoster(request, metadata=metadata, timeout=SNAPSHOT_S):
            yield item


def _names(names: common_pb2.PersonNames) -> Names:
    shown, kana = names.display, names.kana
    return Names(shown.family, shown.given, shown.middle, kana.family, kana.given, kana.middle)
