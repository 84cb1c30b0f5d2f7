"""School values, read as a clerk would check them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jpschool import school_year
from jpschool.characters import clusters, common_form, fits_jis_x_0213, outside_jis_x_0213, proposed_display
from jpschool.codes import (
    SchoolCode,
    municipality_check_digit,
    school_code_check_digit,
    why_not_board_code,
    why_not_municipality_code,
    why_not_school_code,
)
from jpschool.days import EARLIEST, LATEST, read_day
from jpschool.kana import full_width_katakana, gojuon_key, has_half_width_kana, is_full_width_katakana, search_key
from jpschool.school_grade import SchoolGrade
from jpschool.wareki import era_of, parse_wareki, wareki, wareki_short

MODERN_DAYS = st.dates(min_value=date(1873, 1, 1), max_value=date(2117, 12, 31))


@given(MODERN_DAYS)
def test_every_day_lies_in_its_school_year(day: date) -> None:
    year = school_year.school_year_of(day)
    assert school_year.first_day(year) <= day <= school_year.last_day(year)


def test_school_year_runs_april_to_march() -> None:
    assert school_year.school_year_of(date(2027, 3, 31)) == 2026
    assert school_year.school_year_of(date(2027, 4, 1)) == 2027
    assert school_year.months(2026)[0] == (2026, 4)
    assert school_year.months(2026)[-1] == (2027, 3)
    assert school_year.title(2026) == "2026年度"
    assert school_year.wareki_title(2026) == "令和8年度"
    assert school_year.wareki_title(2019) == "平成31年度"


@given(MODERN_DAYS)
def test_wareki_reads_back(day: date) -> None:
    assert parse_wareki(wareki(day)) == day
    assert parse_wareki(wareki_short(day)) == day


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(1926, 12, 25), "昭和元年12月25日"),
        (date(2026, 11, 21), "令和8年11月21日"),
    ],
)
def test_first_and_last_days_of_eras(day: date, written: str) -> None:
    assert wareki(day) == written


@pytest.mark.parametrize("text", ["平成31年5月1日", "令和0年1月1日", "令和8年2月30日", "2026-04-01", "昭和", ""])
def test_impossible_wareki_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_wareki(text)


def test_wareki_reads_full_width_digits() -> None:
    assert parse_wareki("令和８年１１月２１日") == date(2026, 11, 21)


def test_days_before_the_solar_calendar_have_no_wareki() -> None:
    with pytest.raises(ValueError):
        era_of(date(1872, 12, 31))


@pytest.mark.parametrize("code", ["F112310102342", "B108254200026", "B127210000018", "B139190000027", "G139190110577"])
def test_published_school_codes_hold(code: str) -> None:
    assert why_not_school_code(code) is None
    assert str(SchoolCode.parse(code)) == code


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("B127210000019", "検査数字"),
        ("B12721000001", "13文字"),
        ("b127210000018", "形"),
        ("Ｂ127210000018", "形"),
        ("B148210000018", "都道府県"),
        ("B227210000018", "学校種"),
        ("B127010000018", "形"),
        ("B127410000018", "形"),
    ],
)
def test_wrong_school_codes_name_the_part(code: str, part: str) -> None:
    assert part in (why_not_school_code(code) or "")


FIRST_TWELVE = r"(A1|A2|B1|C1|C2|D1|E1)(0[1-9]|[123][0-9]|4[0-7])[123][1-9][0-9]{6}"


@given(st.from_regex(FIRST_TWELVE, fullmatch=True), st.integers(0, 12))
def test_one_wrong_digit_is_always_seen(first_twelve: str, place: int) -> None:
    code = first_twelve + school_code_check_digit(first_twelve)
    assert why_not_school_code(code) is None
    if code[place].isdigit():
        wrong = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        assert why_not_school_code(wrong) is not None


def test_board_and_municipality_codes() -> None:
    assert why_not_board_code("011000") is None
    assert why_not_board_code("481000") is not None
    assert why_not_board_code("０11000") is not None
    assert why_not_municipality_code("010006") is None
    assert why_not_municipality_code("011002") is None
    assert "検査数字" in (why_not_municipality_code("011003") or "")


@given(st.from_regex(r"(0[1-9]|[123][0-9]|4[0-7])[0-9]{3}", fullmatch=True))
def test_municipality_check_digit_is_unique(first_five: str) -> None:
    right = municipality_check_digit(first_five)
    assert [d for d in "0123456789" if why_not_municipality_code(first_five + d) is None] == [right]


def test_school_grades_run_to_the_end_of_compulsory_school() -> None:
    assert SchoolGrade("P6").next() is SchoolGrade.J1
    assert SchoolGrade("J3").next() is None
    assert SchoolGrade.P3.full_label == "小学校第3学年"
    assert [one.order for one in SchoolGrade] == list(range(1, 10))


def test_jis_x_0213_holds_some_variants_and_not_others() -> None:
    assert fits_jis_x_0213("宮﨑　𠮟 渡邉A-1")
    assert not fits_jis_x_0213("髙")
    assert not fits_jis_x_0213("𠮷")
    assert not fits_jis_x_0213("ﾔﾏﾀﾞ")
    assert not fits_jis_x_0213("山\n田")
    assert not fits_jis_x_0213("山\u200b田")


def test_offending_characters_are_told_with_their_selectors() -> None:
    found = outside_jis_x_0213("辻󠄀髙山")
    assert [one.code_points for one in found] == ["U+8FBB U+E0100", "U+9AD9"]
    assert [one.place for one in found] == [0, 2]
    assert clusters("辻󠄀本") == ["辻󠄀", "本"]


def test_display_name_keeps_what_jis_x_0213_can_write() -> None:
    assert proposed_display("髙﨑辻󠄀") == "高﨑辻"
    assert common_form("渡邉") == "渡辺"


@given(st.text())
def test_what_is_outside_is_what_does_not_fit(text: str) -> None:
    assert fits_jis_x_0213(text) == (not outside_jis_x_0213(text)) or text == ""
    assert "".join(clusters(text)) == text


def test_search_key_forgets_width_kind_and_variant() -> None:
    assert search_key("髙橋　はな") == search_key("高𣘺ﾊﾅ")
    assert search_key("ﾏﾘｱ・ｸﾗﾗ") == search_key("まりあくらら")
    assert search_key("辻󠄀") == search_key("辻")
    assert search_key("NGUYEN Van") == search_key("ｎｇｕｙｅｎ　ｖａｎ")


@given(st.text(st.characters(categories=["L", "N", "Zs", "Pd"])))
def test_search_key_is_stable(text: str) -> None:
    assert search_key(search_key(text)) == search_key(text)


def test_kana_checks() -> None:
    assert full_width_katakana("ﾔﾏﾀﾞ") == "ヤマダ"
    assert full_width_katakana("やまだ") == "ヤマダ"
    assert has_half_width_kana("ヤﾏダ")
    assert is_full_width_katakana("マリア・クララ　ヴー")
    assert not is_full_width_katakana("やまだ")
    assert not is_full_width_katakana("")


def test_gojuon_order() -> None:
    names = [
        ("アベ", "ハナ"),
        ("アベ", "バナ"),
        ("アンドウ", "リオ"),
        ("イ", "ソラ"),
        ("ハシモト", "ユウ"),
        ("ハヤシ", "ア"),
    ]
    shuffled = [*names[4:], *names[:4]]
    assert sorted(shuffled, key=lambda name: gojuon_key(*name)) == names
    assert gojuon_key("ヒョウ") < gojuon_key("ヒヨウ")
    assert gojuon_key("カート").split("\x1f")[0] == gojuon_key("カアト").split("\x1f")[0]


NAME_KANA = st.text(alphabet="アイウカガキサザシャュタダットハバパホボマミヤユヨラリンヴー", min_size=1, max_size=8)


@given(st.lists(NAME_KANA, min_size=1, max_size=2))
def test_a_prefix_comes_first(parts: list[str]) -> None:
    longer = [*parts[:-1], parts[-1] + "ン"]
    assert gojuon_key(*parts) < gojuon_key(*longer)


@given(st.dates(EARLIEST, LATEST))
def test_a_day_is_read_as_it_is_written_and_everything_can_be_said_about_it(day: date) -> None:
    assert read_day(day.isoformat()) == day
    assert day - timedelta(days=1) < day < day + timedelta(days=1)
    assert wareki(day)
    year = school_year.school_year_of(day)
    assert school_year.first_day(year) <= day <= school_year.last_day(year)


@pytest.mark.parametrize(
    "text", ["", "2026-02-30", "0001-01-01", "9999-12-31", "20261121", "2026-W47-6", "２０２６-11-21", "2026-11-21 "]
)
def test_no_other_spelling_and_no_day_out_of_reach(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|isoformat"):
        read_day(text)
