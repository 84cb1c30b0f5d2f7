"""年度更新: two people form the classes of the coming year on one board, publish it, see it, and take it back.

Today is in the year that the rehearsal is for: the school is entered as it stood in 2025年度, by the same RPC that a
roster file goes through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

from jpschool.codes import school_code_check_digit
from jpschool.school_year import school_year_of
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2 as pb
from komu.roster.v1.roster_pb2_grpc import RosterServiceStub
from komustack.demo import person_id
from playwright.sync_api import Locator, Page, expect
from servicekit.clock import today_jst

from tests.support.browser import Browse
from tests.support.people import Person

COMING = school_year_of(today_jst())
NAMES = ("秋山", "石井", "上田", "江口", "大野", "加藤", "木村", "工藤")
KANA = ("アキヤマ", "イシイ", "ウエダ", "エグチ", "オオノ", "カトウ", "キムラ", "クドウ")
STAFF = {
    "aozora.jh.vice": pb.POST_VICE_PRINCIPAL,
    "aozora.jh.office": pb.POST_OFFICE,
    "aozora.jh.teacher1": pb.POST_TEACHER,
    "aozora.jh.teacher2": pb.POST_TEACHER,
    "aozora.jh.teacher3": pb.POST_TEACHER,
}


def a_school_of_last_year(browse: Browse) -> str:
    """A small 小学校 of 青空市 whose register still stands in the year before; its name."""
    admin = Person(browse.stack, "aozora.board")
    twelve = f"B147299{uuid4().int % 10**5:05}"
    name = f"青空市立ゆきのした{twelve[-5:]}小学校"
    try:
        import_id = str(uuid4())
        header = pb.StageHeader(import_id=import_id, source="名簿.zip", bulk=False, school_year=COMING - 1)
        rows = pb.StageRows(rows=_rows(name, twelve + school_code_check_digit(twelve)))
        parts = iter([pb.StageRosterRequest(header=header), pb.StageRosterRequest(rows=rows)])
        admin.call(RosterServiceStub, "roster", "StageRoster", parts)
        asked = pb.ApplyRosterChangeRequest(import_id=import_id)
        job = admin.call(RosterServiceStub, "roster", "ApplyRosterChange", asked)
        while job.state in (common_pb2.JOB_STATE_WAITING, common_pb2.JOB_STATE_RUNNING):
            job = admin.call(RosterServiceStub, "roster", "GetJob", common_pb2.GetJobRequest(job_id=job.id))
        assert job.state == common_pb2.JOB_STATE_DONE, job.label
    finally:
        admin.close()
    return name


def _rows(name: str, code: str) -> Iterator[pb.StageRow]:
    school = str(uuid4())
    since = common_pb2.Period(starts_on=f"{COMING - 1}-04-01")
    yield pb.StageRow(org=pb.StageOrg(source_id=school, name=name, code=code))
    for username, post in STAFF.items():
        appointment = pb.StageAppointment(
            person_source_id=str(person_id(username)), org_source_id=school, post=post, period=since
        )
        yield pb.StageRow(appointment=appointment)
    for school_grade, room, families in (
        ("P3", "3年1組", range(4)),
        ("P3", "3年2組", range(4, 8)),
        ("P6", "6年1組", (0, 5)),
    ):
        class_id = str(uuid4())
        made = pb.StageClass(
            source_id=class_id, org_source_id=school, school_year=COMING - 1, school_grade=school_grade, name=room,
            kind=pb.CLASS_KIND_HOMEROOM,
        )  # fmt: skip
        yield pb.StageRow(**{"class": made})
        for number, place in enumerate(families, 1):
            child = str(UUID(int=uuid4().int))
            names = common_pb2.PersonNames(
                display=common_pb2.Name(family=NAMES[place], given=school_grade),
                kana=common_pb2.Name(family=KANA[place]),
            )
            person = pb.StagePerson(
                source_id=child, person_id=child, kind=pb.PERSON_KIND_PUPIL, names=names, org_source_id=school,
                school_grade=school_grade, home_class_source_id=class_id,
            )  # fmt: skip
            yield pb.StageRow(person=person)
            member = pb.StageMember(class_source_id=class_id, person_source_id=child, number=number, period=since)
            yield pb.StageRow(member=member)


def column(page: Page, name: str) -> Locator:
    return page.get_by_role("listbox", name=name, exact=True)


def card(page: Page, family: str) -> Locator:
    return page.get_by_role("option", name=re.compile(family))


def saved(page: Page) -> None:
    expect(page.locator("[data-status]")).to_have_text("保存しました")


def open_plan(page: Page, school: str) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="年度更新の準備").click()
    section = page.get_by_role("region", name=school)
    section.get_by_role("link", name=f"{COMING}年度", exact=True).click()
    expect(page.get_by_role("heading", level=1, name=f"{COMING}年度の準備")).to_be_visible()


def test_the_year_is_rehearsed_published_and_taken_back(browse: Browse) -> None:
    school = a_school_of_last_year(browse)
    office = browse("aozora.jh.office", "/rollover", strong=True)
    office.get_by_role("region", name=school).get_by_role("button", name=f"{COMING}年度の準備を始める").click()
    expect(office.get_by_text("学級の決まっていない児童生徒がいます。")).to_be_visible()
    browse.check(office, "rollover-overview")

    # The school: its classes, who comes new, who leads which class.
    office.get_by_role("link", name="学級と担任").click()
    office.get_by_label("1年の学級").fill("1年1組")
    office.get_by_label("1年の学級").press("Enter")
    expect(office.get_by_label("1年1組", exact=True)).to_be_visible()
    for room, teacher in (("1年1組", "日向"), ("4年1組", "陽田"), ("4年2組", "月岡")):
        choice = office.get_by_label(room, exact=True)
        label = next(one for one in choice.locator("option").all_inner_texts() if one.startswith(teacher))
        choice.select_option(label=label)
    browse.check(office, "rollover-classes")
    office.get_by_role("button", name="担任を保存する").click()
    expect(office.get_by_text("担任を決めました。")).to_be_visible()
    office.get_by_role("link", name=f"{COMING}年度の準備").click()
    office.get_by_role("link", name="新入学", exact=True).click()
    typed = office.get_by_label("加える児童生徒")
    typed.fill("星空\t光\tホシゾラ\tヒカル\t男\t2019/5/5\n空色")
    office.get_by_role("button", name="加える").click()
    expect(office.get_by_role("alert")).to_contain_text("2行目")
    typed.fill("星空\t光\tホシゾラ\tヒカル\t男\t2019/5/5\n空色、澄、ソライロ、スミ、女、2019-08-08")
    office.get_by_role("button", name="加える").click()
    expect(office.get_by_text("2人を加えました")).to_be_visible()
    browse.check(office, "rollover-entrants")
    office.get_by_role("link", name=f"{COMING}年度の準備").click()
    office.get_by_role("link", name="1年のボード").click()
    office.get_by_role("button", name="学級なしの人を均等に分ける").click()
    expect(column(office, "1年1組").get_by_role("option")).to_have_count(2)

    # Two people on one board: one drags with the mouse, the other has the keyboard alone.
    vice = browse("aozora.jh.vice", strong=True)
    open_plan(vice, school)
    address = vice.get_by_role("link", name="4年のボード").get_attribute("href") or ""
    vice.goto(browse.address(address))
    office.goto(browse.address(address))
    card(vice, "秋山").drag_to(column(vice, "4年1組"))
    expect(column(vice, "4年1組").get_by_role("option", name=re.compile("秋山"))).to_be_visible()
    saved(vice)
    expect(vice.get_by_text("2人以上の差があります")).to_be_hidden()
    told = column(office, "4年1組").get_by_text("空田\u3000副一が4年1組に移しました")
    expect(told).to_be_visible(timeout=20_000)
    card(office, "石井").focus()
    office.keyboard.press("Space")
    office.keyboard.press("ArrowDown")
    office.keyboard.press("Space")
    office.keyboard.press("2")
    expect(column(office, "4年2組").get_by_role("option")).to_have_count(2)
    expect(office.get_by_text("2人以上の差があります")).to_be_hidden()
    expect(office.locator("[data-say]")).to_contain_text("2人を4年2組に移しました。2人")
    saved(office)
    office.keyboard.press("Control+z")
    expect(column(office, "4年2組").get_by_role("option")).to_have_count(0)
    saved(office)
    office.keyboard.press("Control+y")
    expect(column(office, "4年2組").get_by_role("option")).to_have_count(2)
    saved(office)

    # Both move one child: the later one is told at the card, where the child is.
    office.route("**/moves?after=*", lambda route: route.fulfill(json={"revision": 0, "places": []}))
    card(vice, "江口").drag_to(column(vice, "4年1組"))
    saved(vice)
    card(office, "江口").focus()
    office.keyboard.press("2")
    expect(column(office, "4年1組").get_by_role("option", name=re.compile("江口"))).to_contain_text("空田")
    office.unroute("**/moves?after=*")

    # 配慮, a wish, and the rest proposed.
    card(office, "大野").click()
    card(office, "加藤").click()
    office.get_by_role("button", name="二人を分けたい").click()
    card(office, "木村").press("Enter")
    office.get_by_label("配慮すること").fill("席を前に")
    office.get_by_label("成績の段階").select_option("4")
    office.get_by_role("button", name="保存する").click()
    expect(card(office, "木村")).to_contain_text("配慮")
    office.get_by_role("button", name="学級なしの人を均等に分ける").click()
    for room in ("4年1組", "4年2組"):
        expect(column(office, room).get_by_role("option")).to_have_count(4)
    expect(office.get_by_text("（分けたい）：希望どおり")).to_be_visible()
    expect(office.get_by_text("2人以上の差があります")).to_be_hidden()
    browse.check(office, "rollover-board")

    # Numbers, certificates; what it will do; then all of it at once.
    office.get_by_role("link", name=f"{COMING}年度の準備").click()
    office.get_by_role("button", name="出席番号を付ける").click()
    office.get_by_role("link", name="卒業と証書番号").click()
    office.get_by_label("始まりの証書番号").fill("1201")
    office.get_by_role("button", name="証書番号を付ける").click()
    expect(office.get_by_role("row").filter(has_text="1202")).to_contain_text("加藤")
    browse.check(office, "rollover-graduation")
    open_plan(vice, school)
    expect(vice.get_by_text("足りないことはありません")).to_be_visible()
    vice.get_by_role("link", name="公開すると変わること").click()
    expect(vice.get_by_role("heading", name="卒業 2人")).to_be_visible()
    browse.check(vice, "rollover-diff")
    vice.get_by_role("link", name=f"{COMING}年度の準備").click()
    vice.get_by_role("button", name=f"{COMING}年度を公開する").click()
    vice.get_by_role("dialog").get_by_role("button", name="公開する").click()
    expect(vice.get_by_text("公開済み")).to_be_visible(timeout=30_000)
    browse.check(vice, "rollover-published")
    plan = vice.url

    vice.get_by_role("navigation", name="メニュー").get_by_role("link", name="在籍").click()
    vice.get_by_role("link", name=school).click()
    vice.get_by_role("link", name="4年1組", exact=True).click()
    expect(vice.locator("tbody tr")).to_have_count(4)
    expect(vice.locator("tbody tr").first).to_contain_text("秋山")

    vice.goto(plan)
    vice.get_by_role("button", name="公開を取り消す").click()
    vice.get_by_role("dialog").get_by_role("button", name="公開を取り消す").click()
    expect(vice.get_by_text("名簿を元に戻しました")).to_be_visible()
    vice.get_by_role("navigation", name="メニュー").get_by_role("link", name="在籍").click()
    vice.get_by_role("link", name=school).click()
    expect(vice.get_by_role("link", name="4年1組", exact=True)).to_have_count(0)
