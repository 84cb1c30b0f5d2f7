"""From the facts of the services to the documents of the forms."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports.domain.archive import retained_until, years_later
from reports.domain.assembly import certificates, guidance, registers, report_cards
from reports.domain.assembly.words import class_label, entries, furigana
from reports.domain.forms.attendance_register import AttendanceRegister
from reports.domain.forms.registry import form_of, forms_of, to_data
from reports.domain.forms.values import current
from reports.domain.sources import (
    ClassFact,
    ColumnFact,
    Curriculum,
    DatedText,
    EventFact,
    GuardianFact,
    MonthFact,
    Records,
    Register,
    RegisterNames,
    School,
    StaffFact,
    SubjectFact,
    SumsFact,
    TermFact,
    YearFact,
)
from reports.domain.standing import Place, Standing
from reports.policy import may_issue, scope
from servicekit.testing import an_actor

SCHOOL = School("school", "青空市立あおぞら小学校", "みらい県青空市中央1丁目1番1号", "elementary")


def pupil(**more: object) -> Register:
    facts: dict[str, object] = {
        "pupil_id": uuid4(),
        "school": SCHOOL,
        "class_id": "class",
        "school_grade": "P3",
        "number": 12,
        "sex": "女",
        "birth_on": "2017-06-03",
        "display_name": "渡辺　花子",
        "names": (
            DatedText("official", "渡辺　花子", "2017-06-03", "2025-05-31"),
            DatedText("official", "渡邉　花子", "2025-06-01"),
            DatedText("kana", "ワタナベ　ハナコ", "2017-06-03"),
        ),
        "guardians": (GuardianFact("渡邉　一郎", "ワタナベ　イチロウ", "", 1), GuardianFact("渡邉　恵", "", "", 2)),
        "years": (
            YearFact(2025, "P2", "c2", "2年2組", 30),
            YearFact(2026, "P3", "class", "3年1組", 12, (StaffFact("校一"),), (StaffFact("担子"),)),
        ),
    } | more
    return Register(**facts)  # type: ignore[arg-type]


def test_a_changed_name_is_struck_and_stays_readable() -> None:
    sheet = guidance.guidance_record_1(pupil())
    assert [(e.text, e.struck, e.ends_on) for e in sheet.pupil.names] == [
        ("渡辺　花子", True, "2025-05-31"),
        ("渡邉　花子", False, ""),
    ]
    assert current(sheet.pupil.names) == "渡邉　花子"
    assert sheet.pupil.kana[0].text == "わたなべ　はなこ"
    assert sheet.guardian.names[0].text == "渡邉　一郎"
    assert sheet.guardian.addresses[0].text == "児童の欄に同じ"


def test_a_changed_guardian_is_struck_and_stays_readable() -> None:
    """様式1: a changed name or address is struck out; a new telephone number changes nothing on the sheet."""
    before = (
        GuardianFact("渡辺　父男", "ワタナベ　チチオ", "", 1, "2024-03-31"),
        GuardianFact("渡邉　一郎", "ワタナベ　イチロウ", "みらい県港野市港1番地", 1, "2025-05-31"),
    )
    guardian = guidance.guidance_record_1(pupil(former_guardians=before)).guardian
    assert [(entry.text, entry.struck, entry.ends_on) for entry in guardian.names] == [
        ("渡辺　父男", True, "2024-03-31"), ("渡邉　一郎", False, ""),
    ]  # fmt: skip
    assert [entry.text for entry in guardian.kana] == ["わたなべ　ちちお", "わたなべ　いちろう"]
    assert [(entry.text, entry.struck) for entry in guardian.addresses] == [
        ("みらい県港野市港1番地", True), ("児童の欄に同じ", False),
    ]  # fmt: skip


def test_a_child_of_unknown_whereabouts_is_recorded_as_not_enrolled() -> None:
    """居所不明 for a year: 在学しない者 stands in the box of 転学・退学等 (notice 30文科初第1845号 様式1)."""
    gone = EventFact("not_enrolled", "school", "2026-11-21", left_on="2025-11-20", school_grade="P3")
    event = guidance.guidance_record_1(pupil(events=(gone,))).events[0]
    assert (event.kind, event.label, event.left_on) == ("not_enrolled", "居所不明により在学しない者", "2025-11-20")


def test_each_school_grade_has_its_line_and_those_to_come_are_blank() -> None:
    sheet = guidance.guidance_record_1(pupil())
    assert [(y.school_grade, y.school_year, y.class_name, y.number) for y in sheet.years] == [
        (1, 0, "", ""),
        (2, 2025, "2組", "30"),
        (3, 2026, "1組", "12"),
        (4, 0, "", ""),
        (5, 0, "", ""),
        (6, 0, "", ""),
    ]


def test_only_events_of_this_school_stand_in_its_boxes() -> None:
    events = (
        EventFact("graduated", "other", "2024-03-31", school_grade="P6"),
        EventFact("transferred_in", "school", "2025-06-02", school_grade="P2", counterpart_name="星野小学校"),
        EventFact("transferred_out", "school", "2026-11-24", left_on="2026-11-20", school_grade="P3"),
    )
    found = guidance.guidance_record_1(pupil(events=events)).events
    assert [(e.label, e.effective_on, e.left_on, e.school_grade) for e in found] == [
        ("転入学", "2025-06-02", "", 2),
        ("転学", "2026-11-24", "2026-11-20", 3),
    ]


def test_a_slip_of_the_day_is_not_printed_but_a_later_correction_is() -> None:
    wrong = EventFact("admitted", "school", "2026-04-01", struck=True, recorded_on="2026-11-21")
    same_day = EventFact("admitted", "school", "2024-04-08", recorded_on="2026-11-21")
    later = EventFact("admitted", "school", "2024-04-08", recorded_on="2026-11-25")
    assert len(guidance.guidance_record_1(pupil(events=(wrong, same_day))).events) == 1
    assert [e.struck for e in guidance.guidance_record_1(pupil(events=(wrong, later))).events] == [False, True]


def test_records_go_into_the_column_of_their_school_grade() -> None:
    records = Records(
        {
            (2025, "year", "japanese", "viewpoint.knowledge"): "B",
            (2026, "year", "japanese", "viewpoint.knowledge"): "A",
            (2026, "year", "japanese", "rating"): "3",
            (2026, "year", "behaviour", "behaviour.fairness"): "○",
            (2026, "year", "remarks", "remarks.general"): "よく学んだ。",
            (2026, "1", "japanese", "rating"): "1",
        }
    )
    sums = {2026: SumsFact(200, 3, 197, 2, 195, remarks=("忌引3",))}
    sheet = guidance.guidance_record_2(pupil(), records, [], sums)
    japanese = sheet.subjects[0]
    assert japanese.viewpoints[0].values == ("", "B", "A", "", "", "")
    assert japanese.ratings == ("", "", "3", "", "", "")
    assert japanese.rated == (3, 4, 5, 6)
    assert [s.label for s in sheet.subjects if 3 not in s.taught] == ["生活", "家庭", "外国語"]
    assert [b.label for b in sheet.behaviour if "○" in b.values] == ["公正・公平"]
    assert sheet.remarks[2].text == "よく学んだ。"
    third = sheet.attendance[2]
    assert (third.lesson_days, third.required, third.present, third.remarks) == (200, 197, 195, "忌引3")
    assert sheet.attendance[1].lesson_days is None


def test_a_board_may_add_items_of_behaviour_and_word_viewpoints_anew() -> None:
    own = Curriculum(
        2026,
        "P3",
        (
            SubjectFact("japanese", "国語", True, (ColumnFact("viewpoint.knowledge", "viewpoint", "知識及び技能"),)),
            SubjectFact("behaviour", "行動の記録", False, (ColumnFact("behaviour.own", "behaviour", "郷土愛"),)),
        ),
    )
    sheet = guidance.guidance_record_2(pupil(), Records(), [own], {})
    assert [b.label for b in sheet.behaviour][-1] == "郷土愛"
    assert len(sheet.behaviour) == 11
    assert sheet.subjects[0].viewpoints[0].label == "知識及び技能"


def test_lower_secondary_sheet_has_its_own_subjects() -> None:
    sheet = guidance.guidance_record_2(pupil(school_grade="J1", years=()), Records(), [], {})
    assert [s.label for s in sheet.subjects][-2:] == ["技術・家庭", "外国語"]
    assert sheet.foreign_language_activity == ()
    assert all(s.rated == (1, 2, 3) for s in sheet.subjects)


def test_card_of_the_first_term_leaves_the_others_blank() -> None:
    curriculum = Curriculum(
        2026,
        "P3",
        (
            SubjectFact(
                "japanese",
                "国語",
                True,
                (ColumnFact("viewpoint.knowledge", "viewpoint", "知識・技能"), ColumnFact("rating", "rating", "評定")),
            ),
        ),
    )
    terms = [TermFact(k, f"{k}学期", "2026-04-01", "2026-08-31") for k in "123"]
    records = Records({(2026, k, "japanese", "rating"): k for k in "123"})
    card = report_cards.report_card(pupil(), records, curriculum, terms, "1", {"1": SumsFact(70)}, "2026-07-20")
    assert card.subjects[0].ratings == ("1", "", "")
    assert [a.lesson_days for a in card.attendance] == [70, None, None]
    assert card.completion is None
    last = report_cards.report_card(pupil(), records, curriculum, terms, "3", {}, "2027-03-24")
    assert last.completion is not None


def test_words_of_forms() -> None:
    assert class_label("3年1組", "P3") == "1組"
    assert class_label("なかよし学級", "P3") == "なかよし学級"
    assert furigana("スミス　ハナ", "SMITH　花") == "スミス　はな"
    assert furigana("ヴァン", "VAN") == "ヴァン"


@given(st.lists(st.tuples(st.text(min_size=1), st.dates(), st.none() | st.dates()), max_size=6))
def test_nothing_of_a_history_is_dropped(values: list) -> None:  # type: ignore[type-arg]
    dated = [DatedText("official", t, a.isoformat(), b.isoformat() if b else "") for t, a, b in values]
    assert {e.text for e in entries(dated)} == {value.text for value in dated}


@pytest.mark.parametrize("key", list(forms_of(2026)))
def test_retention_is_twenty_five_or_none(key: str) -> None:
    from datetime import date

    form = form_of(key, 2026)
    until = retained_until(form, 2026, date(2027, 3, 31))
    expected = {"guidance_record_1": date(2047, 3, 31), "guidance_record_2": date(2032, 3, 31)}
    if key in expected:
        assert until == expected[key]
        assert retained_until(form, 2026) is None
    if key == "report_card":
        assert until is None
    assert years_later(date(2024, 2, 29), 5) == date(2029, 2, 28)


def test_who_may_issue_what() -> None:
    school, homeroom = uuid4(), uuid4()
    place = Place(school, homeroom, "P3")
    teacher = Standing({school: frozenset({"teacher"})}, frozenset({homeroom}))
    head = Standing({school: frozenset({"teacher"})}, headed=frozenset({(school, "P3")}))
    office = Standing({school: frozenset({"office"})})
    principal = Standing({school: frozenset({"principal"})})
    board = Standing(every_school=True)

    def allowed(standing: Standing, role: str) -> set[str]:
        actor = an_actor("aozora", role)
        return {key for key, form in forms_of(2026).items() if may_issue(actor, standing, place, form).allowed}

    everything = set(forms_of(2026))
    certificates = {"enrolment_certificate", "textbook_certificate"}
    assert allowed(principal, "principal") == everything
    assert allowed(board, "board_admin") == everything
    assert allowed(board, "teacher") == set()
    assert allowed(teacher, "teacher") == everything - certificates - {"guidance_record_copy"}
    assert allowed(head, "teacher") == {"report_card"}
    assert allowed(office, "office") == certificates | {"guidance_record_1", "attendance_register"}
    assert may_issue(an_actor("aozora"), Standing(), place, form_of("report_card", 2026)).hidden
    assert scope(an_actor("aozora"), teacher).class_ids == {homeroom}
    assert scope(an_actor("aozora"), teacher).school_ids == frozenset()


def test_documents_are_plain_data() -> None:
    assert to_data(guidance.guidance_record_1(pupil()))["pupil"]["sex"] == "女"


def a_register(month: str, *names: DatedText, **staff: tuple[StaffFact, ...]) -> AttendanceRegister:
    child = uuid4()
    homeroom = ClassFact("class", "3年1組", SCHOOL, 2026, "P3", ((child, 1, "山田　花"),))
    sums = SumsFact(lesson_days=19, required=19, present=19, remarks=("発熱1日",))
    statistics = dict.fromkeys(
        (
            "on_roll_before", "entered", "left", "on_roll", "lesson_days", "excused_total", "required_total",
            "absent_total", "present_total",
        ),
        0,
    ) | {"rate": ""}  # fmt: skip
    sheet = MonthFact(month, (), ((child, (), sums),), (), statistics)
    return registers.attendance_register(homeroom, sheet, RegisterNames({child: names}, **staff))


def test_the_register_names_pupils_as_the_family_register_did_in_that_month() -> None:
    names = (
        DatedText("display", "林　花", "2026-04-01"),
        DatedText("official", "渡辺　花", "2026-05-10", "2026-11-09"),
        DatedText("official", "渡邉\U000e010f　花", "2026-11-10"),
        DatedText("alias", "林　花", "2026-05-10"),
    )
    told = {month: a_register(month, *names).pupils[0] for month in ("2026-04", "2026-11", "2026-12")}
    # The official name came with a supplement in May: it was the name in April, too.
    assert [(line.name, line.remarks) for line in told.values()] == [
        ("渡辺　花", "通称 林　花、発熱1日"),
        ("渡邉\U000e010f　花", "通称 林　花、9日まで渡辺　花、発熱1日"),
        ("渡邉\U000e010f　花", "通称 林　花、発熱1日"),
    ]
    assert a_register("2026-04").pupils[0].name == "山田　花"  # the register knows no other


def test_the_register_names_the_staff_of_its_month_jointly_where_it_changed_hands() -> None:
    """出席簿: 担任 with post and name, joint if changed (校長 as well)."""
    principals = (StaffFact("校一", "2024-04-01", "2026-09-30", "校長"), StaffFact("校二", "2026-10-01", "", "校長"))
    teachers = (
        StaffFact("担子", "2026-04-01", "2026-11-09", "教諭"),
        StaffFact("教頭子", "2026-11-10", "2026-11-20", "教頭"),
        StaffFact("担二", "2026-11-21", "2027-03-31", "教諭"),
    )
    told = {
        month: a_register(month, principals=principals, homeroom_teachers=teachers)
        for month in ("2026-09", "2026-11", "2027-03")
    }
    assert [[(s.name, s.days) for s in sheet.principals] for sheet in told.values()] == [
        [("校一", "")], [("校二", "")], [("校二", "")],
    ]  # fmt: skip
    assert [[(s.post, s.name, s.days) for s in sheet.homeroom_teachers] for sheet in told.values()] == [
        [("教諭", "担子", "")],
        [("教諭", "担子", "9日まで"), ("教頭", "教頭子", "10日から20日まで"), ("教諭", "担二", "21日から")],
        [("教諭", "担二", "")],
    ]
    assert (told["2027-03"].school_year, told["2027-03"].month) == (2026, 3)


CHANGED = (
    StaffFact("前校長", "2020-04-01", "2026-09-30"), StaffFact("現校長", "2026-10-01", "2026-12-31"),
    StaffFact("次校長", "2027-01-01"),
)  # fmt: skip


def in_a_year_of_three_principals() -> Register:
    teachers = (StaffFact("前担任", "2026-04-01", "2026-11-09"), StaffFact("現担任", "2026-11-10", "2027-03-31"))
    return pupil(years=(YearFact(2026, "P3", "class", "3年1組", 12, CHANGED, teachers),), principals=CHANGED)


def test_papers_are_certified_by_the_principal_in_office_on_that_day() -> None:
    """Not by the one who is to come, whose 任用 the register knows already."""
    child = in_a_year_of_three_principals()
    for on, name in (("2026-09-30", "前校長"), ("2026-11-21", "現校長"), ("2027-01-01", "次校長")):
        assert certificates.principal(child, on) == name
        issued = certificates.enrolment_certificate(child, number="1", issued_on=on, purpose="転学のため")
        assert issued.principal_name == name
        assert certificates.textbook_certificate(child, (), number="1", issued_on=on).principal_name == name
    left_long_ago = pupil(years=(YearFact(2024, "P1", "c", "1年1組", 1, CHANGED[:1]),), principals=CHANGED)
    assert certificates.principal(left_long_ago, "2026-11-21") == "現校長"
    between = pupil(principals=(StaffFact("前校長", "2020-04-01", "2026-09-30"), StaffFact("次校長", "2027-01-01")))
    assert certificates.principal(between, "2026-11-21") == "前校長"


@pytest.mark.parametrize(
    ("term", "issued_on", "staff"),
    [
        ("1", "2026-11-21", ("前校長", ("前担任",))),  # printed again in autumn: as it was handed out in summer
        ("2", "2026-11-05", ("現校長", ("前担任",))), ("2", "2026-11-21", ("現校長", ("現担任",))),
        ("3", "2027-03-24", ("次校長", ("現担任",))),
    ],
)  # fmt: skip
def test_a_report_card_names_the_staff_of_its_term(term: str, issued_on: str, staff: tuple[str, tuple[str]]) -> None:
    terms = [
        TermFact("1", "1学期", "2026-04-01", "2026-08-31"), TermFact("2", "2学期", "2026-09-01", "2026-12-31"),
        TermFact("3", "3学期", "2027-01-01", "2027-03-31"),
    ]  # fmt: skip
    child = in_a_year_of_three_principals()
    card = report_cards.report_card(child, Records(), Curriculum(2026, "P3", ()), terms, term, {}, issued_on)
    assert (card.principal_name, card.homeroom_teachers) == staff


def test_the_line_of_a_year_tells_days_of_that_year_only() -> None:
    """様式1: predecessor and successor with their periods; when the 校長 came to the school is not its matter."""
    line = guidance.guidance_record_1(in_a_year_of_three_principals()).years[2]
    assert [(each.name, each.starts_on, each.ends_on) for each in line.principals] == [
        ("前校長", "2026-04-01", "2026-09-30"), ("現校長", "2026-10-01", "2026-12-31"),
        ("次校長", "2027-01-01", "2027-03-31"),
    ]  # fmt: skip
