"""The quick path of the check only proves that nothing is wrong: what is told and read is the same without it."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy

import pytest
from dataexchange.domain.oneroster import check as check_module
from dataexchange.domain.oneroster import quiet, table
from dataexchange.domain.oneroster.cells import UUID4, are_uuid4
from dataexchange.domain.oneroster.check import Checked
from dataexchange.domain.oneroster.facts import Facts
from dataexchange.domain.oneroster.profile import V6
from dataexchange.domain.oneroster.reader import rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dataexchange.tests.unit.oneroster_files import (
    BOARD,
    CLASS,
    COURSE,
    PUPIL,
    SCHOOL,
    SESSION,
    TEACHER,
    AFile,
    check,
    quoted,
)

LESSON = "00000000-0000-4000-8000-000000000015"


def a_school(pupils: int = 6) -> AFile:
    """A class with some pupils, a lesson of all of them, and a teacher who is the principal as well."""
    file = AFile()
    tables = file.tables
    lesson = list(tables["classes"][0])
    lesson[0], lesson[3], lesson[7], lesson[11], lesson[12] = LESSON, "3年1組 国語", "scheduled", "国語", "P010"
    tables["classes"].append(lesson)
    user, role, place = tables["users"][1], tables["roles"][1], tables["enrollments"][1]
    for number in range(2, pupils + 1):
        id_ = f"00000000-0000-4000-9000-{number:012}"
        tables["users"].append([id_, *user[1:4], f"pupil{number}", *user[5:16], id_, *user[17:]])
        tables["roles"].append([f"rp{number}", *role[1:3], id_, *role[4:]])
        tables["enrollments"].append([f"ep{number}", *place[1:5], id_, *place[6:10], str(number), "true"])
    for number, row in enumerate(list(tables["enrollments"])):
        tables["enrollments"].append([f"el{number}", *row[1:3], LESSON, *row[4:]])
    tables["roles"].append(["rx", "", "", TEACHER, "secondary", "principal", "", "", SCHOOL, ""])
    return file


@contextmanager
def slowly() -> Iterator[None]:
    """csv reads every line, the rules look at every row, nothing is kept."""
    with pytest.MonkeyPatch.context() as without:
        without.setattr(table, "quoted_columns", lambda text, width: None)
        for name in ("roles", "enrollments", "dates_in_order"):
            without.setattr(quiet, name, lambda *_: False)
        without.setattr(check_module, "CELLS_KEPT_AT_MOST", 0)
        yield


def told(checked: Checked) -> object:
    return list(checked.findings), checked.findings.errors_total, checked.rows_by_file, checked.facts


def both_say_the_same(data: bytes) -> Checked:
    with pytest.MonkeyPatch.context() as to_the_end:
        to_the_end.setattr(Facts, "forget_after", lambda *_: None)  # what rows of one table taught is compared too
        quick = check(data)
        with slowly():
            slow = check(data)
    assert told(quick) == told(slow)
    if quick.findings.clean:
        assert list(rows_of(io.BytesIO(data), len(data), quick)) == list(rows_of(io.BytesIO(data), len(data), slow))
    return quick


def test_a_right_package_is_read_the_same_way():
    checked = both_say_the_same(a_school().zipped())
    assert checked.findings.clean
    assert checked.kept
    assert checked.facts.course_pupils


VALUES = st.one_of(
    st.sampled_from(
        [
            "", BOARD, SCHOOL, SESSION, COURSE, CLASS, LESSON, PUPIL, TEACHER, "student", "teacher", "guardian",
            "primary", "secondary", "true", "false", "homeroom", "scheduled", "P3", "P9", "2026-04-01", "2026-09-01",
            "2027-03-31", "ハナ", "ﾊﾅ", "髙", "\n", "\r\n", '"', ",", '","', '"\r\n"', "\r", "a\x0bb", "\x00",
            "e1", "r1", "国語",
        ]
    ),
    st.text(max_size=5),
)  # fmt: skip
DAMAGE = st.lists(
    st.tuples(st.sampled_from(sorted(V6.files)), st.integers(0, 99), st.integers(0, 99), VALUES), max_size=4
)


def damaged(file: AFile, damage: list[tuple[str, int, int, str]]) -> AFile:
    for name, row, column, value in damage:
        rows = file.tables.get(name)
        if rows:
            cells = rows[row % len(rows)]
            cells[column % len(cells)] = value
    return file


@settings(max_examples=150, deadline=None)
@given(DAMAGE)
def test_damaged_cells_are_told_alike(damage: list[tuple[str, int, int, str]]):
    file = damaged(a_school(), damage)
    try:
        data = file.zipped()
    except UnicodeEncodeError:  # half a surrogate pair is no text
        return
    both_say_the_same(data)


LIKE: dict[str, Callable[[bytes], bytes]] = {
    "LF": lambda data: data.replace(b"\r\n", b"\n"),
    "CR": lambda data: data.replace(b"\r\n", b"\r"),
    "BOM": lambda data: b"\xef\xbb\xbf" + data,
    "without quotes": lambda data: data.replace(b'"', b""),
    "some without quotes": lambda data: data.replace(b'"student"', b"student", 1),
    "quote inside": lambda data: data.replace(b"3", b'3""', 1),
    "open quote": lambda data: data + b'"open',
    "no end": lambda data: data.removesuffix(b"\r\n"),
    "blank line": lambda data: data + b"\r\n" + data[-40:],
    "twice": lambda data: data + data,
    "cut": lambda data: data[: len(data) * 2 // 3],
    "other bytes": lambda data: data[: len(data) * 2 // 3] + b"\xff\xfe" + data[len(data) * 2 // 3 :],
    "mixed ends": lambda data: data[: len(data) // 2] + data[len(data) // 2 :].replace(b"\r\n", b"\n"),
}


@pytest.mark.parametrize("name", ["users", "roles", "enrollments", "classes"])
@pytest.mark.parametrize("like", list(LIKE))
@pytest.mark.parametrize("block", [37, 1 << 20])
def test_other_ways_to_write_a_table_are_told_alike(like: str, name: str, block: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dataexchange.domain.oneroster.package.READ_BLOCK", block)
    file = a_school()
    content = quoted([list(V6.header(name)), *deepcopy(file.tables[name])])
    file.raw[f"{name}.csv"] = LIKE[like](content)
    both_say_the_same(file.zipped())


PIECES = st.sampled_from(['"', ",", "\r\n", "\n", "\r", "a", "髙", '","', '"\r\n"', '""'])


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=30), st.integers(1, 4))
def test_columns_are_found_only_where_csv_finds_the_same(pieces: list[str], width: int):
    text = "".join(pieces)
    columns = table.quoted_columns(text, width)
    if columns is not None:
        assert [list(row) for row in zip(*columns, strict=True)] == list(
            csv.reader(text.splitlines(keepends=True), strict=True)
        )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.text("ab,髙\n\r \x0b", max_size=4), min_size=3, max_size=3), min_size=1, max_size=5))
def test_columns_of_quoted_rows_are_found(rows: list[list[str]]):
    columns = table.quoted_columns(quoted(rows).decode(), 3)
    assert columns is not None
    assert [list(row) for row in zip(*columns, strict=True)] == rows


UUID_LIKE = st.one_of(
    st.uuids(version=4).map(str),
    st.from_regex(UUID4, fullmatch=True),
    st.uuids(version=4).map(lambda one: str(one).upper()),
    st.uuids(version=1).map(str),
    st.tuples(st.uuids(version=4).map(str), st.integers(0, 35), st.sampled_from("-4g８\n")).map(
        lambda one: one[0][: one[1]] + one[2] + one[0][one[1] + 1 :]
    ),
    st.sampled_from(["", "e1"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(UUID_LIKE, min_size=1, max_size=3))
def test_a_column_of_uuids_is_one_of_uuids(values: list[str]):
    assert are_uuid4(values) == all(UUID4.fullmatch(one) for one in values)
