"""操作の記録: what is seen of it, and by whom."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from komu.common.v1 import common_pb2
from komu.learning.v1 import study_pb2, tool_clients_pb2
from komu.learning.v1.audit_pb2_grpc import AuditServiceStub
from komu.learning.v1.study_pb2_grpc import StudyServiceStub
from komu.learning.v1.tool_clients_pb2_grpc import ToolClientServiceStub
from servicekit.audit import board_subject
from servicekit.errors import Refused, Unseen

from .conftest import School

BOARD = uuid4()


async def entries(school: School, person: UUID, role: str, **asked: str) -> list[tuple[str, str]]:
    """Action and subject, newest first."""
    caller = school.caller(AuditServiceStub, person, role)
    reply = await caller.ReadAudit(common_pb2.ReadAuditRequest(school_id=str(school.id), **asked))
    return [(one.action, one.subject_id) for one in reply.entries]


async def test_the_principal_sees_the_school_and_the_board_what_it_did_as_well(school: School):
    drill = tool_clients_pb2.RegisterToolClientRequest(
        name="計算ドリル", purpose="学習履歴の受け取り", reading=tool_clients_pb2.READING_OWN
    )
    await school.caller(ToolClientServiceStub, BOARD, "board_admin").RegisterToolClient(drill)
    teacher = school.caller(StudyServiceStub, school.teacher_id, "teacher")
    await teacher.ListClassUnits(study_pb2.ListClassUnitsRequest(class_id=str(school.homeroom_id)))
    await teacher.ListPupilResults(study_pb2.ListPupilResultsRequest(pupil_id=str(school.pupils[0])))
    looked = [("study.read", str(school.pupils[0])), ("study.read", str(school.homeroom_id))]
    registered = ("tool_client.registered", str(board_subject(school.tenant)))
    assert await entries(school, school.principal_id, "principal") == looked
    assert await entries(school, BOARD, "board_admin") == [*looked, registered]
    assert await entries(school, BOARD, "board_admin", kind="change") == [registered]
    of_the_child = {"subject_id": str(school.pupils[0])}
    assert await entries(school, school.principal_id, "principal", **of_the_child) == looked[:1]
    assert await entries(school, school.principal_id, "principal", subject_id=str(uuid4())) == []


async def test_nobody_else_reads_it(school: School):
    with pytest.raises(Refused):
        await entries(school, school.teacher_id, "teacher")
    with pytest.raises(Refused):
        await entries(school, school.teacher_id, "principal")
    with pytest.raises(Unseen):
        await entries(school, uuid4(), "principal")
