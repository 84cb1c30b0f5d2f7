"""学習指導要領コード as the tables have them."""

from __future__ import annotations

from datetime import date

from learning.domain.curriculum_codes import Passage
from learning.store.curriculum_codes import table

FRACTIONS_P3 = "8250233160000000"


def test_every_code_of_the_three_tables_is_there_once():
    """3,747 of 小 (82V11), 2,190 of 中 (83V11), 10,950 of 高 (84V10)."""
    kinds = [one.code[:2] for one in table().passages]
    assert [kinds.count(kind) for kind in ("82", "83", "84")] == [3747, 2190, 10950]
    assert len(table().by_code) == len(kinds)
    assert {len(code) for code in table().by_code} == {16}


def test_fractions_are_found_by_word_subject_and_school_grade():
    found, more = table().search("分数", subject="算数", school_grade="P3")
    assert not more
    assert FRACTIONS_P3 in [one.code for one in found]
    assert all(3 in one.years or not one.years for one in found)
    assert all(one.school_kind == "小学校" for one in found)


def test_words_may_be_wide_or_narrow_and_all_of_them_count():
    wide, _ = table().search("１／２　分数")
    narrow, _ = table().search("1/2 分数")
    assert wide == narrow != []


def test_a_code_is_found_by_its_beginning_and_case_matters():
    found, _ = table().search(FRACTIONS_P3[:11])
    assert found[0].code == FRACTIONS_P3
    upper, _ = table().search("82N00")
    lower, _ = table().search("82n00")
    assert {one.subject for one in upper}.isdisjoint({one.subject for one in lower})


def test_pages_follow_each_other_without_gap():
    every, _ = table().search("地図", limit=500)
    first, more = table().search("地図", limit=7)
    then, _ = table().search("地図", after=first[-1].code, limit=7)
    assert more
    assert first + then == every[:14]


def test_a_passage_knows_what_it_stands_under():
    above = [one.text for one in table().above("8250233161100000")]
    assert "第３学年" in "".join(above)
    assert above[-2].startswith("(6) 分数とその表し方")
    assert table().above("x") == []


def test_years_and_validity_are_read_from_the_code():
    both = Passage("82102A0000000000", "国語", "")
    assert (both.years, both.in_force_from) == ((1, 2), date(2020, 4, 1))
    assert Passage("8410000000000000", "国語", "").years == ()
