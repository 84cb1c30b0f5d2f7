"""校務分掌 with their days, from the call to what other services are told."""

from __future__ import annotations

import pytest
from komu.roster.v1 import duties_pb2 as pb
from komu.roster.v1 import roster_pb2
from komu.roster.v1.duties_pb2_grpc import DutyServiceStub
from servicekit.errors import Invalid, Refused, Unseen

from .conftest import Board


def music(board: Board, **changes: object) -> pb.AssignDutyRequest:
    values = {
        "school_id": board.elementary, "staff_id": board.people["teacher2"], "kind": roster_pb2.DUTY_KIND_SUBJECT,
        "class_id": board.class_31, "subject": "music", "starts_on": "2026-09-01",
    }  # fmt: skip
    return pb.AssignDutyRequest(**values | changes)


async def held(board: Board) -> list[tuple[str, str, str, str]]:
    asked = pb.ListDutiesRequest(school_id=board.elementary)
    found = await board.as_person("teacher", "teacher", stub=DutyServiceStub).ListDuties(asked)
    mine = next(one for one in found.staff if one.name.staff_id == board.people["teacher2"])
    return [
        (roster_pb2.DutyKind.Name(one.kind), one.subject, one.period.starts_on, one.period.ends_on)
        for one in mine.duties
    ]


async def test_a_duty_is_given_and_ended_and_stays_on_the_record(board: Board):
    vice = board.as_person("vice", "vice_principal", stub=DutyServiceStub)
    given = await vice.AssignDuty(music(board))
    homeroom = ("DUTY_KIND_HOMEROOM", "", "2026-04-01", "2027-03-31")
    assert await held(board) == [homeroom, ("DUTY_KIND_SUBJECT", "music", "2026-09-01", "2027-03-31")]
    with pytest.raises(Invalid, match="すでに持って"):
        await vice.AssignDuty(music(board, starts_on="2026-10-01"))
    await vice.EndDuty(pb.EndDutyRequest(duty_id=given.id, last_on="2026-10-31"))
    assert await held(board) == [homeroom, ("DUTY_KIND_SUBJECT", "music", "2026-09-01", "2026-10-31")]
    await vice.AssignDuty(music(board, starts_on="2026-11-01"))
    state = await board.principal.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=board.class_31))
    assert [one.period.starts_on for one in state.duties if one.subject == "music"] == ["2026-09-01", "2026-11-01"]


async def test_who_may_give_duties_to_whom(board: Board):
    vice = board.as_person("vice", "vice_principal", stub=DutyServiceStub)
    with pytest.raises(Invalid, match="勤めている"):
        await vice.AssignDuty(music(board, staff_id=board.people["jh_teacher"]))
    with pytest.raises(Invalid, match="この学校の学級"):
        await vice.AssignDuty(music(board, class_id=board.class_j1))
    with pytest.raises(Refused):
        await board.as_person("teacher", "teacher", stub=DutyServiceStub).AssignDuty(music(board))
    with pytest.raises(Unseen):
        await board.as_person("jh_principal", "principal", stub=DutyServiceStub).AssignDuty(music(board))
