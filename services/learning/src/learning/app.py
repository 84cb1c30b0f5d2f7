"""The only place that wires learning together."""

from __future__ import annotations

from komu.learning.v1 import tool_clients_pb2_grpc
from servicekit.db import Database
from servicekit.grpc import Service

from learning.consumers import CONSUMERS
from learning.grpc_api import RIGHTS, ToolClientServicer
from learning.http_api import learning_app
from learning.settings import Settings


def build(settings: Settings) -> Service:
    """The service, ready to serve."""
    database = Database(
        settings.database_url, pool_size=settings.database_pool, application_name=f"komu-{settings.service}"
    )
    return Service(
        settings,
        rights=RIGHTS,
        servicers=[(ToolClientServicer(), tool_clients_pb2_grpc.add_ToolClientServiceServicer_to_server)],
        consumers=CONSUMERS,
        database=database,
        http_app=learning_app(database),
    )
