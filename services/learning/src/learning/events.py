"""What learning tells others: ids, never what a child did (class III)."""

from __future__ import annotations

from komu.common.v1 import common_pb2
from komu.learning.v1 import events_pb2

from learning.domain.tool_clients import ToolClient


def tool_client_changed(client: ToolClient) -> events_pb2.ToolClientChanged:
    """A client was registered, given a new secret, or closed."""
    return events_pb2.ToolClientChanged(
        meta=common_pb2.EventMeta(aggregate_id=str(client.id), aggregate_version=client.version),
        client_id=str(client.id),
        active=client.active,
    )
