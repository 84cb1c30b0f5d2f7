"""The board opens and closes doors; nobody else does, and another board's do not exist."""

from __future__ import annotations

import pytest
from komu.learning.v1 import tool_clients_pb2 as pb
from komu.learning.v1.tool_clients_pb2_grpc import ToolClientServiceStub
from servicekit.errors import Conflict, Invalid, Refused, Unseen
from servicekit.testing import RunningService, an_actor

DRILL = pb.RegisterToolClientRequest(name="計算ドリル", purpose="学習履歴の受け取り", reading=pb.READING_OWN)


async def test_a_client_is_registered_renewed_and_closed(running: RunningService, tenant: str):
    board = running.caller(ToolClientServiceStub, an_actor(tenant, "board_admin"))
    opened = await board.RegisterToolClient(DRILL)
    assert opened.client.key.startswith(f"{tenant}.")
    renewed = await board.RenewToolClientSecret(
        pb.ChangeToolClientRequest(client_id=opened.client.id, version=opened.client.version)
    )
    assert renewed.secret != opened.secret
    with pytest.raises(Conflict):
        await board.DisableToolClient(pb.ChangeToolClientRequest(client_id=opened.client.id, version=1))
    closed = await board.DisableToolClient(pb.ChangeToolClientRequest(client_id=opened.client.id, version=2))
    assert closed.HasField("disabled_at")
    assert list((await board.ListToolClients(pb.ListToolClientsRequest())).clients) == [closed]


async def test_what_is_missing_is_named(running: RunningService, tenant: str):
    board = running.caller(ToolClientServiceStub, an_actor(tenant, "board_admin"))
    with pytest.raises(Invalid) as refused:
        await board.RegisterToolClient(pb.RegisterToolClientRequest(name=" ", reading=pb.READING_OWN))
    assert [one.field for one in refused.value.violations] == ["name", "purpose"]


async def test_only_the_board_and_only_its_own(running: RunningService, tenant: str):
    board = running.caller(ToolClientServiceStub, an_actor(tenant, "board_admin"))
    opened = await board.RegisterToolClient(DRILL)
    with pytest.raises(Refused):
        await running.caller(ToolClientServiceStub, an_actor(tenant, "principal")).RegisterToolClient(DRILL)
    other = running.caller(ToolClientServiceStub, an_actor(f"{tenant}-x", "board_admin"))
    with pytest.raises(Unseen):
        await other.DisableToolClient(pb.ChangeToolClientRequest(client_id=opened.client.id, version=1))
