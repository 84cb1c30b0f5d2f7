"""The home page is useful with whatever parts answer, and never the reason for a second factor."""

from types import SimpleNamespace

import pytest
from komu.attendance.v1 import attendance_pb2
from komu.dataexchange.v1 import transfers_pb2
from komu.grades.v1 import grades_pb2
from komu.roster.v1 import roster_pb2
from portal.pages import home
from portal.rpc import ServiceAway, rpc
from servicekit.errors import StepUpRequired

CLASS = "0190a0a0-0000-4000-8000-00000000c1a5"
ME = roster_pb2.WhoAmIReply(
    board=roster_pb2.Board(name="青空市教育委員会"),
    schools=[roster_pb2.School(id="s", name="あおぞら小学校")],
    duties=[roster_pb2.Duty(kind=roster_pb2.DUTY_KIND_HOMEROOM, class_id=CLASS)],
    classes=[roster_pb2.Class(id=CLASS, name="3年1組", school_grade="P3")],
)
DAY = attendance_pb2.GetDayReply(state=attendance_pb2.DAY_STATE_LESSON)


def answering(**answers):
    """A service of the home page's calls: a value is the answer, an exception is raised."""

    class Service:
        def __getattr__(self, method):
            async def call(request, **_):
                found = answers[method]
                if isinstance(found, Exception):
                    raise found
                return found

            return call

    return Service()


async def page(portal, *, roster, attendance, roles=("teacher",), **others):
    missing = answering(ListTransfers=ServiceAway("dataexchange"), ListArrivals=ServiceAway("dataexchange"))
    calls = SimpleNamespace(
        roster=roster,
        attendance=attendance,
        grades=others.get("grades", answering(ListTerms=ServiceAway("grades"))),
        dataexchange=others.get("dataexchange", missing),
    )
    async with portal(home.router) as running, running.browser() as browser:
        running.app.dependency_overrides[rpc] = lambda: calls
        await running.sign_in(browser, realm_access={"roles": list(roles)})
        answer = await browser.get("/")
        assert answer.status_code == 200
        return answer.text


async def test_the_homeroom_teacher_sees_that_the_roll_is_open(portal):
    html = await page(portal, roster=answering(WhoAmI=ME), attendance=answering(GetDay=DAY))
    assert "3年1組" in html
    assert "今日の出欠は未入力" in html
    assert f"/attendance/classes/{CLASS}" in html


@pytest.mark.parametrize("trouble", [ServiceAway("attendance"), StepUpRequired(2, 900)])
async def test_a_part_that_cannot_be_had_is_left_out(portal, trouble):
    html = await page(portal, roster=answering(WhoAmI=ME), attendance=answering(GetDay=trouble))
    assert "3年1組" in html
    assert "出欠は表示できません" in html


async def test_without_the_register_the_page_says_so(portal):
    html = await page(portal, roster=answering(WhoAmI=ServiceAway("roster")), attendance=answering())
    assert "名簿の機能が一時的に使えません" in html


async def test_the_head_sees_the_school_at_a_glance_and_what_waits(portal):
    day = attendance_pb2.GetSchoolDayReply(
        classes=[
            attendance_pb2.ClassDay(state=attendance_pb2.DAY_STATE_LESSON, taken=True, members=35, absent=2),
            attendance_pb2.ClassDay(state=attendance_pb2.DAY_STATE_LESSON, members=34),
        ]
    )
    terms = grades_pb2.ListTermsReply(terms=[grades_pb2.Term(key="1", label="1学期", ends_on="2026-07-20")])
    waiting = answering(
        ListTransfers=transfers_pb2.ListTransfersReply(transfers=[transfers_pb2.Transfer(id="t")]),
        ListArrivals=StepUpRequired(2, 900),
    )
    html = await page(
        portal,
        roster=answering(
            WhoAmI=roster_pb2.WhoAmIReply(schools=ME.schools),
            ListUnlistedPupils=roster_pb2.ListUnlistedPupilsReply(total=3),
        ),
        attendance=answering(GetSchoolDay=day),
        grades=answering(ListTerms=terms),
        dataexchange=waiting,
        roles=("principal",),
    )
    assert "1 / 2 学級" in html
    assert "締め切りを待っています" in html
    assert "承認を待っている転学があります" in html
    assert "名簿にない児童生徒の扱いを決めてください</a> <span class=\"tag tag-warn\">3件" in html
