"""PeopleService: display names for copies of the register that other services hand out."""

from __future__ import annotations

from komu.roster.v1 import people_pb2, people_pb2_grpc, roster_pb2
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, workload_rpc

from roster.grpc_api import to_proto
from roster.grpc_api.from_proto import an_id
from roster.usecases import snapshot

_MOST_PEOPLE = 2000


class PeopleServicer(people_pb2_grpc.PeopleServiceServicer):
    """Who people are, for services: never official names."""

    @workload_rpc()
    async def SnapshotPeople(
        self, request: people_pb2.SnapshotPeopleRequest, call: Call
    ) -> people_pb2.SnapshotPeopleReply:
        if len(request.person_ids) > _MOST_PEOPLE:
            message = f"一度に{_MOST_PEOPLE}人までです。"
            raise Invalid(message, [Violation("person_ids", message)])
        ids = [an_id(item, "person_ids") for item in request.person_ids]
        async with call.reading() as tx:
            board, people = await snapshot.people(tx, ids)
        return people_pb2.SnapshotPeopleReply(
            board=roster_pb2.Board(id=str(board.id), tenant=board.tenant, code=board.code, name=board.name)
            if board
            else None,
            people=map(to_proto.person_name, people),
        )
