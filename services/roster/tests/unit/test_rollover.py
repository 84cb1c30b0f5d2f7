"""年度更新: 進級, numbers, balance, proposals, what is missing, what would change. Values in, values out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster import policy
from roster.domain.rollover import plan
from roster.domain.rollover.balance import balance, broken
from roster.domain.rollover.check import Surroundings, diff, missing
from roster.domain.rollover.numbering import certificate_numbers, class_numbers, doubled
from roster.domain.rollover.plan import Coming, Pair, PlannedClass, PlannedPupil, Rollover, RolloverProblem
from roster.domain.rollover.proposal import propose
from roster.domain.standing import Standing
from servicekit.auth import Actor

ONE, TWO = (PlannedClass(uuid4(), "P4", f"4年{n}組", position=n, homeroom_staff_id=uuid4()) for n in (1, 2))
SCHOOL = uuid4()
ROLLOVER = Rollover(
    uuid4(), SCHOOL, 2027, plan.PLANNING, 1, "mixed", 1, "class", date(2027, 3, 31), datetime(2026, 11, 1, tzinfo=UTC)
)


def a_pupil(place: int = 0, **more: object) -> PlannedPupil:
    base = PlannedPupil(
        UUID(int=place + 1), f"児童{place}", "", "male" if place % 2 else "female", f"{place:04}", plan.PROMOTED, "P4",
        from_school_grade="P3", from_class="3年1組", from_number=place,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def test_everybody_goes_one_up_and_the_last_graduates():
    assert plan.coming("elementary")["P3"] == Coming(plan.PROMOTED, "P4")
    assert plan.coming("elementary")["P6"] == Coming(plan.GRADUATES, "")
    assert plan.coming("lower_secondary") == {
        "J1": Coming("promoted", "J2"), "J2": Coming("promoted", "J3"), "J3": Coming("graduates", ""),
    }  # fmt: skip


def test_a_child_may_stay_down_by_exception():
    """原級留置 (学校教育法施行規則 57条)."""
    assert plan.outcome_of("retained", "elementary", "P6") == Coming("retained", "P6")
    assert plan.outcome_of("graduates", "elementary", "P6") == Coming("graduates", "")
    with pytest.raises(RolloverProblem):
        plan.outcome_of("graduates", "elementary", "P5")
    with pytest.raises(RolloverProblem):
        plan.outcome_of("promoted", "elementary", "")


@pytest.mark.parametrize(
    ("name", "then"),
    [("3年2組", "4年2組"), ("３年い組", "4年い組"), ("ひまわり学級", "ひまわり学級"), ("13組", "13組")],
)
def test_class_names_go_up_with_the_children(name: str, then: str):
    assert plan.class_name(name, "P3", "P4") == then


def test_the_year_turns_on_the_first_of_april():
    """学校教育法施行規則 59条."""
    plan.may_publish_on(ROLLOVER, date(2027, 4, 1))
    with pytest.raises(RolloverProblem, match="2027年4月1日に始まる"):
        plan.may_publish_on(ROLLOVER, date(2027, 3, 31))


def test_undo_ends_with_the_first_roll():
    plan.may_undo(replace(ROLLOVER, state=plan.PUBLISHED))
    with pytest.raises(RolloverProblem, match="2027年4月8日の出欠"):
        plan.may_undo(replace(ROLLOVER, state=plan.PUBLISHED, attendance_on=date(2027, 4, 8)))
    with pytest.raises(RolloverProblem, match="公開されていない"):
        plan.may_undo(ROLLOVER)


def test_numbers_run_in_gojuon_order_in_each_class():
    pupils = [a_pupil(n, class_id=(ONE if n < 3 else TWO).id) for n in (4, 2, 0, 1, 3)]
    pupils.append(a_pupil(9))
    numbers = class_numbers(pupils, "mixed")
    assert [numbers[UUID(int=n + 1)] for n in range(5)] == [1, 2, 3, 1, 2]
    assert UUID(int=10) not in numbers
    boys = class_numbers(pupils, "boys_first")
    assert [boys[UUID(int=n + 1)] for n in range(3)] == [2, 1, 3]
    with pytest.raises(RolloverProblem):
        class_numbers(pupils, "by height")


def test_certificates_run_on_from_the_typed_number():
    """卒業証書授与台帳: a number is given once, in the order of the school."""
    leaving = [
        a_pupil(n, outcome=plan.GRADUATES, from_class=f"6年{1 + n % 2}組", from_number=n, school_grade="")
        for n in range(4)
    ]
    by_class = certificate_numbers([*leaving, a_pupil(9)], 1201, "class")
    assert [by_class[each.id] for each in leaving] == [1201, 1203, 1202, 1204]
    assert list(certificate_numbers(leaving, 1, "gojuon").values()) == [1, 2, 3, 4]
    with pytest.raises(RolloverProblem):
        certificate_numbers(leaving, 0, "class")


def test_balance_counts_what_planners_look_at():
    pupils = [a_pupil(n, class_id=ONE.id, care="見守り" if n == 1 else "", band=n + 1) for n in range(3)]
    found = balance([*pupils, a_pupil(7)])[ONE.id]
    assert (found.size, found.boys, found.girls, found.care, found.band_tenths) == (3, 1, 2, 1, 20)
    assert TWO.id not in balance(pupils)


def test_a_wish_is_broken_only_where_both_have_a_class():
    a, b, c = UUID(int=1), UUID(int=2), UUID(int=3)
    apart, together = Pair(a, b, plan.APART), Pair(a, c, plan.TOGETHER)
    assert broken([apart, together], {a: ONE.id, b: ONE.id, c: TWO.id}) == [apart, together]
    assert broken([apart, together], {a: ONE.id, b: TWO.id, c: ONE.id}) == []
    assert broken([apart, together], {a: ONE.id, b: None}) == []


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["male", "female"]), st.booleans(), st.integers(0, 5), st.integers(1, 3)),
        min_size=6, max_size=60,
    ),
    st.integers(2, 4),
)  # fmt: skip
def test_a_proposal_places_everybody_evenly(traits: list[tuple[str, bool, int, int]], count: int):
    pupils = [
        a_pupil(n, sex=sex, care="配慮" if care else "", band=band, from_class=f"3年{room}組")
        for n, (sex, care, band, room) in enumerate(traits)
    ]
    classes = [uuid4() for _ in range(count)]
    placed = propose(pupils, classes, [])
    assert set(placed) == {each.id for each in pupils}
    sizes = Counter(placed.values())
    assert max(sizes.values()) - min(sizes[one] for one in classes) <= 1
    assert placed == propose(list(reversed(pupils)), classes, [])


def test_a_proposal_keeps_wishes_and_who_is_placed():
    pupils = [a_pupil(n) for n in range(12)]
    pupils[5] = replace(pupils[5], class_id=TWO.id)
    ids = [each.id for each in pupils]
    pairs = [
        Pair(ids[0], ids[1], plan.APART), Pair(ids[2], ids[3], plan.TOGETHER), Pair(ids[3], ids[4], plan.APART),
        Pair(ids[5], ids[6], plan.TOGETHER),
    ]  # fmt: skip
    placed = propose(pupils, [ONE.id, TWO.id], pairs)
    assert ids[5] not in placed
    assert broken(pairs, placed | {ids[5]: TWO.id}) == []
    boys = Counter(place for pupil, place in placed.items() if pupil.int % 2 == 0)
    assert abs(boys[ONE.id] - boys[TWO.id]) <= 2
    assert propose(pupils, [], pairs) == {}


def test_what_is_missing_is_told_with_names():
    whole = [a_pupil(n, class_id=one.id, number=1) for n, one in enumerate((ONE, TWO))]
    leaver = a_pupil(5, outcome=plan.GRADUATES, school_grade="", certificate=7)
    assert missing([ONE, TWO], [*whole, leaver], [], Surroundings()) == []
    gaps = missing(
        [replace(ONE, homeroom_staff_id=None), TWO],
        [a_pupil(0), a_pupil(1, class_id=TWO.id, number=3), a_pupil(2, class_id=TWO.id, number=3),
         a_pupil(3, class_id=TWO.id), replace(leaver, certificate=None), a_pupil(6, outcome=plan.LEAVES)],
        [Pair(UUID(int=2), UUID(int=3), plan.APART)], Surroundings(came=("転入 子",)),
    )  # fmt: skip
    told = {gap.kind: gap.names for gap in gaps}
    assert told == {
        "came": ("転入 子",), "no_class": ("児童0",), "no_teacher": ("4年1組",), "empty_class": ("4年1組",),
        "no_number": ("児童3",), "doubled": ("4年2組 3番 児童1", "4年2組 3番 児童2"), "no_certificate": ("児童5",),
        "pairs": ("児童1と児童2",),
    }  # fmt: skip
    assert [gap.kind for gap in gaps if not gap.blocking] == ["pairs"]
    used = missing([ONE, TWO], [*whole, leaver], [], Surroundings(used_numbers=frozenset({7}), existing=("4年3組",)))
    assert [gap.kind for gap in used] == ["existing", "certificate_used"]


def test_doubled_numbers_are_found_per_class():
    same = [a_pupil(0, class_id=ONE.id, number=1), a_pupil(1, class_id=TWO.id, number=1)]
    assert doubled(same) == {}


def test_the_diff_says_everything_with_names():
    pupils = [
        a_pupil(1, class_id=ONE.id, number=1), a_pupil(2, outcome=plan.RETAINED, school_grade="P3"),
        a_pupil(3, outcome=plan.ENTERS, from_class="", class_id=TWO.id, number=1),
        a_pupil(4, outcome=plan.GRADUATES, certificate=12, school_grade=""),
    ]  # fmt: skip
    parts = {part.kind: part.lines for part in diff([ONE, TWO], pupils, {ONE.homeroom_staff_id: "先生 一"})}  # type: ignore[dict-item]
    assert [line.after for line in parts["classes"]] == ["1人・担任 先生 一", "1人・担任 "]
    assert (parts["promoted"][0].before, parts["promoted"][0].after) == ("3年1組 1番", "4年1組 1番")
    assert parts["retained"][0].after == "学級なし"
    assert (parts["enters"][0].before, parts["enters"][0].after) == ("", "4年2組 1番")
    assert parts["graduates"][0].after == "卒業 証書第12号"
    assert "leaves" not in parts


def test_names_of_classes_are_told_apart():
    plan.check_classes([ONE, TWO])
    with pytest.raises(RolloverProblem, match="二つ"):
        plan.check_classes([ONE, replace(TWO, name=ONE.name)])
    with pytest.raises(RolloverProblem, match="20字"):
        plan.check_classes([replace(ONE, name="")])


def test_who_plans_who_forms_classes_and_who_publishes():
    me = uuid4()

    def of(post: str) -> tuple[Actor, Standing]:
        return Actor("t", me, frozenset({post})), Standing(me, {SCHOOL: frozenset({post})})

    assert policy.may_plan_year(*of("office"), SCHOOL).allowed
    assert not policy.may_plan_year(*of("teacher"), SCHOOL).allowed
    assert policy.may_form_classes(*of("teacher"), SCHOOL, frozenset({"P4"}), "P4").allowed
    refused = policy.may_form_classes(*of("teacher"), SCHOOL, frozenset({"P4"}), "P5")
    assert (refused.allowed, refused.hidden) == (False, False)
    assert policy.may_publish_year(*of("principal"), SCHOOL).allowed
    assert not policy.may_publish_year(*of("office"), SCHOOL).allowed
    elsewhere = uuid4()
    assert policy.may_form_classes(*of("principal"), elsewhere, frozenset({"P4"}), "P4").hidden
