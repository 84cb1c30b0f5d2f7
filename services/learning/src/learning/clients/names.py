"""How a person is called, asked of roster on behalf of that person."""

from __future__ import annotations

import grpc
from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients
from servicekit.errors import KomuError
from servicekit.grpc import Call


async def own_name(clients: Clients, call: Call) -> tuple[str, str]:
    """Family and given name as displayed; empty where roster does not know the person or is away."""
    stub = clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")
    try:
        metadata = await clients.on_behalf(call, "roster")
        me = await stub.WhoAmI(roster_pb2.WhoAmIRequest(), metadata=metadata)
    except (grpc.RpcError, KomuError):
        return "", ""
    return me.names.display.family, me.names.display.given
