"""Inbound gRPC: translate in, call a use case, translate back."""

from roster.grpc_api.classes import ClassServicer
from roster.grpc_api.duties import DutyServicer
from roster.grpc_api.family import FamilyServicer
from roster.grpc_api.movements import MovementServicer
from roster.grpc_api.people import PeopleServicer
from roster.grpc_api.rollover import RolloverServicer
from roster.grpc_api.servicer import RIGHTS, RosterServicer

__all__ = [
    "RIGHTS",
    "ClassServicer",
    "DutyServicer",
    "FamilyServicer",
    "MovementServicer",
    "PeopleServicer",
    "RolloverServicer",
    "RosterServicer",
]
