"""The only place that wires roster together."""

from __future__ import annotations

from komu.roster.v1 import (
    classes_pb2_grpc,
    duties_pb2_grpc,
    family_pb2_grpc,
    movements_pb2_grpc,
    people_pb2_grpc,
    rollover_pb2_grpc,
    roster_pb2_grpc,
)
from servicekit.grpc import Service

from roster.consumers import CONSUMERS
from roster.grpc_api import (
    RIGHTS,
    ClassServicer,
    DutyServicer,
    FamilyServicer,
    MovementServicer,
    PeopleServicer,
    RolloverServicer,
    RosterServicer,
)
from roster.grpc_api.jobs import apply_import, publish_rollover
from roster.settings import Settings


def build(settings: Settings) -> Service:
    """The service, ready to serve."""
    return Service(
        settings,
        rights=RIGHTS,
        servicers=[
            (RosterServicer(), roster_pb2_grpc.add_RosterServiceServicer_to_server),
            (PeopleServicer(), people_pb2_grpc.add_PeopleServiceServicer_to_server),
            (ClassServicer(), classes_pb2_grpc.add_ClassServiceServicer_to_server),
            (DutyServicer(), duties_pb2_grpc.add_DutyServiceServicer_to_server),
            (FamilyServicer(), family_pb2_grpc.add_FamilyServiceServicer_to_server),
            (MovementServicer(), movements_pb2_grpc.add_MovementServiceServicer_to_server),
            (RolloverServicer(), rollover_pb2_grpc.add_RolloverServiceServicer_to_server),
        ],
        consumers=CONSUMERS,
        jobs=[apply_import, publish_rollover],
    )
