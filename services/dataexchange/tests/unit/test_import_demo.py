"""The demo boards: clean packages, always the same, with the names that break systems and the people who sign in."""

import io
from dataclasses import replace

import pytest
from dataexchange.__main__ import main
from dataexchange.demo import files_of
from dataexchange.domain.demo.boards import BOARDS, demo_id
from dataexchange.domain.demo.names import HARD_NAMES
from dataexchange.domain.demo.roster import DemoRoster
from dataexchange.domain.demo.staff import signing_in
from dataexchange.domain.oneroster.check import check_package
from dataexchange.domain.oneroster.reader import rows_of
from dataexchange.domain.oneroster.rows import AppointmentRow, ClassRow, DutyRow, MemberRow, PersonRow
from dataexchange.domain.oneroster.school_supplement import (
    SchoolSupplementRow,
    check_school_supplement,
    school_supplement_rows,
    write_school_supplement,
)
from dataexchange.domain.oneroster.supplement import (
    HEADER,
    SupplementRow,
    check_supplement,
    supplement_rows,
    write_supplement,
)
from jpschool.characters import fits_jis_x_0213


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_board_is_a_clean_package_and_always_the_same(board):
    package, supplement, schools = files_of(board)
    checked = check_package(io.BytesIO(package.content), len(package.content), package.name)
    assert list(checked.findings) == []
    assert files_of(board) == [package, supplement, schools]
    findings, rows = check_supplement(io.BytesIO(supplement.content))
    assert list(findings) == []
    assert rows > 200
    findings, rows = check_school_supplement(io.BytesIO(schools.content))
    assert (list(findings), rows) == ([], len(board.schools))


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_the_class_of_35_its_teacher_and_the_hard_names(board):
    package = files_of(board)[0].content
    checked = check_package(io.BytesIO(package), len(package))
    rows = list(rows_of(io.BytesIO(package), len(package), checked))
    third = next(row for row in rows if isinstance(row, ClassRow) and row.name == "3年1組")
    members = [row for row in rows if isinstance(row, MemberRow) and row.class_source_id == third.source_id]
    assert [row.number for row in members] == list(range(1, 36))
    teacher = demo_id(f"{board.tenant}.es.teacher1")
    assert [row.person_source_id for row in rows if isinstance(row, DutyRow) and row.kind == "homeroom"].count(
        teacher
    ) == 1
    posts = {row.post for row in rows if isinstance(row, AppointmentRow)}
    assert posts == {"principal", "vice_principal", "teacher", "office"}
    in_class = {row.person_source_id for row in members}
    shown = {(row.family, row.given) for row in rows if isinstance(row, PersonRow) and row.source_id in in_class}
    assert {(name.display.family, name.display.given) for _, name in HARD_NAMES} <= shown


def test_what_leaves_is_jis_x_0213_and_what_stays_is_not():
    assert all(fits_jis_x_0213(name.display.family + name.display.given) for _, name in HARD_NAMES)
    official = [name.on_the_register.family + name.on_the_register.given for _, name in HARD_NAMES]
    for character in ("髙", "𠮷", "\U000e0100"):
        assert any(character in name for name in official)
    assert any("﨑" in name.display.family for _, name in HARD_NAMES)


def test_accounts_and_roster_mean_the_same_people():
    from komustack import demo as accounts

    for stack in ("main", "second"):
        for account in accounts.accounts(stack):
            board = BOARDS[account.board.tenant]
            assert (board.name, board.code) == (account.board.name, account.board.code)
            member = next(one for one in signing_in(board) if one.username == account.username)
            assert member.id == str(account.person_id)
            register = member.name.on_the_register
            assert (register.family, register.given) == (account.family_name, account.given_name)
            assert (member.school.code if member.school else None) == (account.school.code if account.school else None)


def test_supplement_reads_back_what_was_written():
    rows = list(DemoRoster(BOARDS["hoshi"]).supplement())
    written = io.BytesIO(b"".join(write_supplement(rows)))
    assert list(supplement_rows(written)) == rows


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"person_id": "x"}, "利用者識別子"),
        ({"birth_on": "2018/04/02"}, "生年月日"),
        ({"birth_on": "2018-02-30"}, "生年月日"),
        ({"postal_code": "9990101"}, "郵便番号"),
        ({"family": ""}, "戸籍の氏"),
        ({"prior_history": "ﾖｳﾁｴﾝ"}, "入学前の経歴"),
        ({"address": "みらい県\n青空市"}, "住所"),
    ],
)
def test_a_wrong_supplement_is_told_by_column(change: dict[str, str], column: str):
    row = next(one for one in DemoRoster(BOARDS["hoshi"]).supplement() if one.guardians)
    findings, _ = check_supplement(io.BytesIO(b"".join(write_supplement([replace(row, **change)]))))
    assert column in [one.column for one in findings]


def test_supplement_needs_its_header_and_no_person_twice():
    row = SupplementRow(person_id=demo_id("someone"))
    findings, _ = check_supplement(io.BytesIO(b"".join(write_supplement([row, row]))))
    assert [one.code for one in findings] == ["supplement.duplicate"]
    findings, _ = check_supplement(io.BytesIO(",".join(reversed(HEADER)).encode()))
    assert [one.code for one in findings] == ["header.order"]


def test_school_supplement_reads_back_what_was_written():
    rows = list(DemoRoster(BOARDS["hoshi"]).school_supplement())
    assert [row.address for row in rows] == ["みらい県星野町本町1番1号", "みらい県星野町緑町2番2号"]
    assert list(school_supplement_rows(io.BytesIO(b"".join(write_school_supplement(rows))))) == rows


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"code": "B147299100018"}, ("school_code.form", 2, "学校コード", "B147299100018")),
        ({"code": ""}, ("value.missing", 2, "学校コード", "")),
        ({"name": " "}, ("value.missing", 2, "学校名", " ")),
        ({"address": ""}, ("value.missing", 2, "所在地", "")),
        ({"address": "ﾐﾗｲ県"}, ("text.half_width_kana", 2, "所在地", "ﾐﾗｲ県")),
        ({"address": "みらい県\n青空市"}, ("text.control", 2, "所在地", "みらい県\\u000a青空市")),
    ],
)
def test_a_wrong_school_supplement_is_told_by_row_and_column(change: dict[str, str], found: tuple[str, int, str, str]):
    row = SchoolSupplementRow("B147299100016", "青空市立あおぞら小学校", "みらい県青空市本町1番1号")
    written = b"".join(write_school_supplement([replace(row, **change)]))
    findings, _ = check_school_supplement(io.BytesIO(written))
    assert [(one.code, one.row, one.column, one.value) for one in findings] == [found]
    assert all(one.file == "学校補足.csv" and one.reason for one in findings)


def test_school_supplement_needs_its_header_and_no_school_twice():
    row = next(DemoRoster(BOARDS["hoshi"]).school_supplement())
    findings, _ = check_school_supplement(io.BytesIO(b"".join(write_school_supplement([row, row]))))
    assert [one.code for one in findings] == ["supplement.duplicate"]
    findings, _ = check_school_supplement(io.BytesIO("学校名,学校コード,所在地\r\n".encode()))
    assert [one.code for one in findings] == ["header.order"]
    findings, _ = check_school_supplement(io.BytesIO(b"".join(write_school_supplement([]))))
    assert [one.code for one in findings] == ["file.empty"]


def test_a_partner_checks_a_file_at_the_command_line(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--board", "hoshi"]) == 0
    package = next(tmp_path.glob("*.zip"))
    for file in (package, *tmp_path.glob("*.csv")):
        assert main(["check", str(file)]) == 0
    package.write_bytes(package.read_bytes()[:5_000])
    assert main(["check", str(package)]) == 1
    assert "zip.truncated" in capsys.readouterr().out
