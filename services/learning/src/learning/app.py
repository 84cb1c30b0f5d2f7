"""The only place that wires learning together."""

from __future__ import annotations

from komu.learning.v1 import (
    audit_pb2_grpc,
    curriculum_codes_pb2_grpc,
    lti_pb2_grpc,
    mexcbt_pb2_grpc,
    study_pb2_grpc,
    tool_clients_pb2_grpc,
)
from servicekit.clients import Clients
from servicekit.db import Database
from servicekit.grpc import Service

from learning.clients.tool_keys import ToolKeys
from learning.consumers import CONSUMERS
from learning.domain.lti.claims import Platform
from learning.domain.lti.sealing import Sealer
from learning.grpc_api import (
    RIGHTS,
    AuditServicer,
    CurriculumCodeServicer,
    LtiClassServicer,
    LtiScoreServicer,
    LtiToolServicer,
    MexcbtServicer,
    StudyServicer,
    ToolClientServicer,
)
from learning.http_api import learning_app
from learning.http_api.lti.platform import LtiSide
from learning.settings import Settings
from learning.usecases.lti.keys import KeyRing


def build(settings: Settings) -> Service:
    """The service, ready to serve."""
    database = Database(
        settings.database_url, pool_size=settings.database_pool, application_name=f"komu-{settings.service}"
    )
    clients = Clients(settings)
    lti = LtiSide(
        database,
        Platform(settings.learning_url, settings.portal_url),
        KeyRing(database, Sealer(settings.lti_key)),
        ToolKeys(private=settings.lti_local_tools),
        settings.lti_local_tools,
    )
    lti_tools = LtiToolServicer(lti.platform, lti.keys, local=settings.lti_local_tools)
    return Service(
        settings,
        rights=RIGHTS,
        servicers=[
            (
                ToolClientServicer(f"{settings.learning_url}/xapi"),
                tool_clients_pb2_grpc.add_ToolClientServiceServicer_to_server,
            ),
            (lti_tools, lti_pb2_grpc.add_LtiToolServiceServicer_to_server),
            (LtiScoreServicer(), lti_pb2_grpc.add_LtiScoreServiceServicer_to_server),
            (LtiClassServicer(lti.platform, clients), lti_pb2_grpc.add_LtiClassServiceServicer_to_server),
            (StudyServicer(), study_pb2_grpc.add_StudyServiceServicer_to_server),
            (AuditServicer(), audit_pb2_grpc.add_AuditServiceServicer_to_server),
            (MexcbtServicer(), mexcbt_pb2_grpc.add_MexcbtServiceServicer_to_server),
            (
                CurriculumCodeServicer(),
                curriculum_codes_pb2_grpc.add_CurriculumCodeServiceServicer_to_server,
            ),
        ],
        consumers=CONSUMERS,
        database=database,
        http_app=learning_app(database, settings, lti),
        closing=[clients.close, lti.tool_keys.close],
    )
