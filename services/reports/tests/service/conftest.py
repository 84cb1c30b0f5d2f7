"""The real reports service, with peers that speak the real contracts."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from komu.attendance.v1 import attendance_pb2_grpc
from komu.grades.v1 import grades_pb2_grpc
from komu.roster.v1 import roster_pb2_grpc
from reports.app import build
from reports.settings import ReportsSettings
from servicekit.grpc import Service
from servicekit.testing import FixedClock, RunningService

from services.reports.tests.service.peers import (
    EVERYBODY,
    NOW,
    PeerAttendance,
    PeerGrades,
    PeerRoster,
    School,
    marked,
)


@pytest.fixture(scope="session")
def service() -> str:
    return "reports"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(grpc_service: Callable[..., Awaitable[RunningService]], authority: Any) -> RunningService:
    clock = FixedClock(NOW)
    addresses = {}
    for name, servicer, add in (
        ("roster", marked(PeerRoster), roster_pb2_grpc.add_RosterServiceServicer_to_server),
        ("grades", marked(PeerGrades), grades_pb2_grpc.add_GradesServiceServicer_to_server),
        ("attendance", marked(PeerAttendance), attendance_pb2_grpc.add_AttendanceServiceServicer_to_server),
    ):

        def peer(settings: Any, servicer: Any = servicer, add: Any = add) -> Service:
            return Service(settings, rights=EVERYBODY, servicers=[(servicer, add)])

        started = await grpc_service(
            peer,
            clock=clock,
            service=name,
            tls_cert=authority.cert(name),
            tls_key=authority.key(name),
        )
        addresses[name] = started.address
    return await grpc_service(build, settings=ReportsSettings, clock=clock, service_addresses=addresses)


@pytest.fixture
def school(running: RunningService, tenant: str) -> School:
    return School(running, tenant)
