"""ToolClientService: the doors of the record store."""

from __future__ import annotations

from komu.learning.v1 import tool_clients_pb2 as pb
from komu.learning.v1 import tool_clients_pb2_grpc
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc

from learning.domain.tool_clients import Reading, ToolClient, Use, key_of
from learning.grpc_api.translate import instant, uuid_of
from learning.usecases import tool_clients
from learning.usecases.tool_clients import Opened, Register

_READING = {pb.READING_OWN: Reading.OWN, pb.READING_ALL: Reading.ALL}
_READING_OUT = {reading: number for number, reading in _READING.items()}


class ToolClientServicer(tool_clients_pb2_grpc.ToolClientServiceServicer):
    """Inbound calls about tool clients. `base_url`: where the record store is."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    @rpc(right="learning.clients")
    async def ListToolClients(self, request: pb.ListToolClientsRequest, call: Call) -> pb.ListToolClientsReply:
        clients = await call.read(tool_clients.list_clients)
        return pb.ListToolClientsReply(clients=[_client(call.tenant, client, use) for client, use in clients])

    @rpc(right="learning.clients")
    async def RegisterToolClient(self, request: pb.RegisterToolClientRequest, call: Call) -> pb.OpenedToolClient:
        if request.reading not in _READING:
            raise Invalid("読める範囲を選んでください。", [Violation("reading", "読める範囲を選んでください。")])
        command = Register(request.name, request.purpose, _READING[request.reading])
        return self._opened(call.tenant, await call.run(tool_clients.register, command))

    @rpc(right="learning.clients")
    async def RenewToolClientSecret(self, request: pb.ChangeToolClientRequest, call: Call) -> pb.OpenedToolClient:
        client_id = uuid_of(request.client_id, "client_id")
        return self._opened(call.tenant, await call.run(tool_clients.renew_secret, client_id, request.version))

    @rpc(right="learning.clients")
    async def DisableToolClient(self, request: pb.ChangeToolClientRequest, call: Call) -> pb.ToolClient:
        client_id = uuid_of(request.client_id, "client_id")
        return _client(call.tenant, await call.run(tool_clients.disable, client_id, request.version))

    def _opened(self, tenant: str, opened: Opened) -> pb.OpenedToolClient:
        client = _client(tenant, opened.client)
        return pb.OpenedToolClient(client=client, secret=opened.secret, base_url=self._base_url)


def _client(tenant: str, client: ToolClient, use: Use | None = None) -> pb.ToolClient:
    shown = pb.ToolClient(
        id=str(client.id),
        name=client.name,
        purpose=client.purpose,
        reading=_READING_OUT[client.reading],
        key=key_of(tenant, client.id),
        created_by=str(client.created_by),
        created_at=instant(client.created_at),
        version=client.version,
    )
    if client.disabled_at is not None:
        shown.disabled_at.CopyFrom(instant(client.disabled_at))
    if use is not None:
        shown.last_used_at.CopyFrom(instant(use.last_used_at))
        shown.statements = use.statements
    return shown
