"""From a tool's statement to what the teacher sees of the class."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from komu.learning.v1 import study_pb2 as pb
from komu.learning.v1.study_pb2_grpc import StudyServiceStub
from learning.domain.study import PREFIXES
from learning.store import study as store
from learning.usecases.study import note_again
from servicekit.errors import Refused, Unseen

from .conftest import School
from .record_store import VOIDED, Tool, a_statement


def answer(pupil: UUID, scaled: float | None, question: str = "q1", subject: str = "算数") -> dict[str, Any]:
    extensions = {PREFIXES[0] + "unit": ["分数"], PREFIXES[0] + "subject": [subject]}
    return a_statement(
        id=str(uuid4()),
        actor={"account": {"homePage": "https://portal.example", "name": str(pupil)}},
        object={"id": f"https://drill.example/{question}", "definition": {"name": {"ja-JP": question}}},
        context={"extensions": extensions},
        result={"score": {"scaled": scaled}} if scaled is not None else {"response": "ア"},
        timestamp="2026-11-19T09:00:00+09:00",
    )


async def test_who_of_the_class_understood_fractions(school: School, tool: Tool):
    first, second, third = school.pupils
    wrong = answer(second, 1.0)
    sent = [answer(first, 0.9), answer(first, 0.9, "q2"), answer(first, None), answer(second, 0.3), wrong]
    sent += [answer(school.other_pupils[0], 0.1), answer(uuid4(), 0.5)]
    assert (await tool.post(sent)).status_code == 200
    void = a_statement(verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": wrong["id"]})
    assert (await tool.post(void)).status_code == 200
    teacher = school.caller(StudyServiceStub, school.teacher_id, "teacher")
    asked = pb.ListClassUnitsRequest(class_id=str(school.homeroom_id))
    [unit] = (await teacher.ListClassUnits(asked)).units
    assert (unit.unit, unit.subject, unit.questions) == ("分数", "算数", 2)
    assert unit.bands == pb.StudyBands(reached=1, almost=0, not_yet=1, nothing=1)
    picture = await teacher.GetClassUnit(pb.GetClassUnitRequest(class_id=str(school.homeroom_id), unit="分数"))
    assert [(one.pupil_id, one.questions, one.band) for one in picture.children] == [
        (str(first), 2, "reached"), (str(second), 1, "not_yet"), (str(third), 0, "nothing"),
    ]  # fmt: skip
    assert [(one.name, one.children, one.percent) for one in picture.questions] == [("q1", 2, 60), ("q2", 1, 90)]
    results = await teacher.ListPupilResults(pb.ListPupilResultsRequest(pupil_id=str(first)))
    assert [one.percent for one in results.results] == [90, 90]


async def test_results_are_laid_anew_from_the_statements_alone(school: School, tool: Tool):
    await tool.post([answer(school.pupils[0], 0.9), answer(school.pupils[1], 0.4), answer(school.pupils[2], None)])
    teacher = school.caller(StudyServiceStub, school.teacher_id, "teacher")
    asked = pb.ListClassUnitsRequest(class_id=str(school.homeroom_id))
    before = await teacher.ListClassUnits(asked)
    async with school.running.database.transaction(school.tenant) as tx:
        await store.forget(tx)
    assert not (await teacher.ListClassUnits(asked)).units
    async with school.running.database.transaction(school.tenant) as tx:
        assert await note_again(tx) == 2
    assert await teacher.ListClassUnits(asked) == before


async def test_a_subject_teacher_sees_the_own_subject_and_others_nothing(school: School, tool: Tool):
    pupil = school.pupils[0]
    await tool.post([answer(pupil, 0.9), answer(pupil, 0.4, "song", "音楽")])
    asked = pb.ListPupilResultsRequest(pupil_id=str(pupil))
    music = school.caller(StudyServiceStub, school.subject_teacher_id, "teacher")
    assert [one.name for one in (await music.ListPupilResults(asked)).results] == ["song"]
    with pytest.raises(Refused):
        await music.ListClassUnits(pb.ListClassUnitsRequest(class_id=str(school.other_class_id)))
    with pytest.raises(Unseen):
        await school.caller(StudyServiceStub, uuid4(), "teacher").ListPupilResults(asked)


async def test_an_odd_name_or_time_does_not_stop_a_statement(school: School, tool: Tool):
    odd = answer(school.pupils[0], 0.5)
    odd["object"]["definition"]["name"]["ja-JP"] = "a\x1eb"
    odd["timestamp"] = "1900-01-01T00:00:00Z"
    assert (await tool.post(odd)).status_code == 200
