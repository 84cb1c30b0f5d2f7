"""The check of a OneRoster package: each thing that can be wrong with one, and where it is told."""

import io
import zipfile

import pytest
from dataexchange.domain.oneroster.check import check_package
from dataexchange.domain.oneroster.profile import V3, V4_EARLY, V5, V6
from dataexchange.domain.oneroster.reader import rows_of
from dataexchange.domain.oneroster.rows import AppointmentRow, DutyRow, MemberRow, PersonRow
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dataexchange.tests.unit.oneroster_files import (
    CLASS,
    PUPIL,
    SCHOOL,
    TEACHER,
    AFile,
    check,
    errors,
    notes,
    quoted,
)


def test_a_right_package_has_nothing_to_say():
    checked = AFile().check()
    assert list(checked.findings) == []
    assert checked.profile is V6
    assert checked.rows_by_file["users"] == 2
    assert checked.school_year == 2026


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "code"),
    [
        ("users", 1, "userMasterIdentifier", TEACHER, "users.duplicate_uuid"),
        ("users", 1, "userMasterIdentifier", "12345", "uuid.form"),
        ("users", 1, "userMasterIdentifier", PUPIL.replace("-4000-", "-1000-"), "uuid.form"),
        ("users", 1, "userMasterIdentifier", "", "value.missing"),
        ("users", 1, "sourcedId", TEACHER, "guid.duplicate"),
        ("users", 1, "sourcedId", "日本語", "guid.form"),
        ("users", 1, "metadata.jp.kanaGivenName", "ﾊﾅ", "text.half_width_kana"),
        ("users", 1, "metadata.jp.kanaGivenName", "はな", "kana.form"),
        ("users", 1, "preferredFamilyName", "髙橋", "text.outside_jis_x_0213"),
        ("users", 1, "preferredFamilyName", "辻󠄀", "text.variation_selector"),
        ("users", 1, "preferredFamilyName", "青\x07空", "text.control"),
        ("users", 1, "preferredFamilyName", "青\n空", "text.line_break"),
        ("users", 1, "preferredFamilyName", "", "value.missing"),
        ("users", 1, "enabledUser", "TRUE", "token.unknown"),
        ("users", 1, "grades", "", "users.school_grade_missing"),
        ("users", 1, "grades", "3", "school_grade.unknown"),
        ("users", 1, "metadata.jp.homeClass", "3年1組", "reference.unknown"),
        ("users", 1, "agentSourcedIds", "nobody", "reference.unknown"),
        ("users", 1, "status", "active", "value.not_blank"),
        ("orgs", 1, "identifier", "B147299100019", "orgs.school_code"),
        ("orgs", 0, "identifier", "99", "orgs.district_code"),
        ("orgs", 1, "type", "national", "token.unknown"),
        ("orgs", 1, "parentSourcedId", "nobody", "reference.unknown"),
        ("orgs", 1, "parentSourcedId", SCHOOL, "orgs.parent_kind"),
        ("orgs", 0, "parentSourcedId", SCHOOL, "orgs.district_parent"),
        ("academicSessions", 0, "title", "2026", "session.title"),
        ("academicSessions", 0, "startDate", "2026-04-31", "date.impossible"),
        ("academicSessions", 0, "startDate", "2026/04/01", "date.form"),
        ("academicSessions", 0, "startDate", "0000-04-01", "date.impossible"),
        ("academicSessions", 0, "startDate", "9999-04-01", "session.start"),
        ("academicSessions", 0, "endDate", "2027-03-30", "session.end"),
        ("academicSessions", 0, "type", "term", "token.unknown"),
        ("courses", 0, "courseCode", "X", "value.not_blank"),
        ("classes", 0, "classType", "ext:special", "token.extension"),
        ("classes", 0, "grades", "", "classes.school_grade_missing"),
        ("classes", 0, "subjectCodes", "P010", "subjects.length"),
        ("classes", 0, "courseSourcedId", "nobody", "reference.unknown"),
        ("roles", 0, "role", "parent", "token.unknown"),
        ("roles", 1, "userSourcedId", "nobody", "reference.unknown"),
        ("roles", 0, "beginDate", "2026-4-1", "date.form"),
        ("enrollments", 1, "primary", "true", "enrollments.student_primary"),
        ("enrollments", 1, "primary", "いいえ", "boolean.form"),
        ("enrollments", 1, "metadata.jp.shussekiNo", "１", "integer.form"),
        ("enrollments", 1, "schoolSourcedId", "nobody", "reference.unknown"),
        ("enrollments", 1, "endDate", "2026-03-01", "date.order"),
        ("enrollments", 1, "userSourcedId", TEACHER, "enrollments.not_a_student"),
    ],
)
def test_a_wrong_cell_is_told_where_it_stands(table: str, row: int, column: str, value: str, code: str):
    checked = AFile().put(table, row, column, value).check()
    found = {(told, file, number) for told, file, number, _ in errors(checked)}
    assert (code, f"{table}.csv", row + 2) in found
    told = next(one for one in checked.findings if one.code == code)
    assert told.reason
    assert told.column or table == "roles"


def test_secondary_role_needs_a_primary_one():
    file = AFile()
    file.put("roles", 0, "roleType", "secondary")
    codes = [code for code, *_ in errors(file.check())]
    assert "roles.secondary_alone" in codes
    assert "users.no_role" in codes


def test_two_boards_never_share_a_file():
    file = AFile()
    file.tables["orgs"].append(["b2", "", "", "星野町教育委員会", "district", "479902", ""])
    assert ("orgs.several_boards", "orgs.csv", 0, "") in errors(file.check())


def test_wrong_header_order_names_the_right_one():
    file = AFile()
    header = list(V6.header("users"))
    header[6], header[7] = header[7], header[6]
    file.headers["users"] = header
    checked = file.check()
    told = next(one for one in checked.findings if one.code == "header.order")
    assert (told.file, told.row, told.column, told.value) == ("users.csv", 1, "givenName", "familyName")
    assert "givenName,familyName" in told.reason
    assert [code for code, *_ in errors(checked)] == ["header.order"]  # nothing follows from an unread table


def test_missing_files_are_named():
    file = AFile()
    del file.tables["roles"]
    assert ("file.missing", "roles.csv", 0, "") in errors(file.check())
    assert ("file.missing", "manifest.csv", 0, "") in errors(AFile(left_out={"manifest.csv"}).check())
    assert ("file.missing", "users.csv", 0, "") in errors(AFile(left_out={"users.csv"}).check())


def test_an_empty_table_must_be_absent():
    file = AFile()
    file.tables["enrollments"] = []
    assert ("file.empty", "enrollments.csv", 0, "") in errors(file.check())
    assert ("file.no_header", "users.csv", 0, "") in errors(AFile(raw={"users.csv": b""}).check())


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("manifest.version", "2.0", "manifest.version"),
        ("oneroster.version", "1.1", "manifest.oneroster_version"),
        ("file.users", "delta", "manifest.delta"),
        ("file.users", "full", "manifest.mode"),
        ("file.users", "absent", "file.missing"),
        ("file.results", "bulk", "file.missing"),
    ],
)
def test_wrong_manifest_values(name: str, value: str, code: str):
    assert code in [told for told, *_ in errors(AFile().manifest_value(name, value).check())]


@pytest.mark.parametrize(("profile", "version"), [(V5, "1.2.1"), (V4_EARLY, "1.2.1"), (V3, "1.2")])
def test_older_profiles_are_accepted(profile, version: str):
    file = AFile(profile=profile)
    if profile is V3:
        for row in file.tables["users"]:
            row.insert(V3.header("users").index("resourceSourcedIds"), "")
    if profile in (V3, V4_EARLY):
        file.tables["users"] = [row[:-3] for row in file.tables["users"]]
    checked = file.check()
    assert errors(checked) == []
    assert checked.profile.oneroster_version == version
    data = file.zipped()
    members = [row for row in rows_of(io.BytesIO(data), len(data), checked) if isinstance(row, MemberRow)]
    assert [member.number for member in members] == [1]


def test_v5_spelling_in_a_v6_package_is_a_note():
    file = AFile()
    file.headers["enrollments"] = list(V5.header("enrollments"))
    checked = file.check()
    assert errors(checked) == []
    assert ("header.other_version", "enrollments.csv") in notes(checked)


def test_bom_line_ends_and_missing_quotes_are_only_notes():
    rows = quoted([list(V6.header("users")), *AFile().tables["users"]])
    checked = AFile(raw={"users.csv": b"\xef\xbb\xbf" + rows.replace(b"\r\n", b"\n")}).check()
    assert errors(checked) == []
    assert {("file.bom", "users.csv"), ("file.line_end", "users.csv")} == set(notes(checked))
    checked = AFile(raw={"users.csv": rows.replace(b'"', b"")}).check()
    assert errors(checked) == []
    assert notes(checked) == [("file.quotes", "users.csv")]


@pytest.mark.parametrize(("codec", "word"), [("cp932", "Shift_JIS"), ("utf-16", "UTF-16"), ("euc_jp", "UTF-8")])
def test_wrong_encoding_is_told_with_a_guess(codec: str, word: str):
    rows = quoted([list(V6.header("users")), *AFile().tables["users"]]).decode().encode(codec)
    checked = AFile(raw={"users.csv": rows}).check()
    told = next(one for one in checked.findings if one.code == "file.encoding")
    assert told.file == "users.csv"
    assert word in told.reason
    assert told.row >= 1


def test_rows_of_another_width_and_broken_quotes():
    rows = quoted([list(V6.header("users")), *AFile().tables["users"], ["x", "y"]])
    assert ("csv.columns", "users.csv", 4, "") in errors(AFile(raw={"users.csv": rows}).check())
    rows = quoted([list(V6.header("users")), *AFile().tables["users"]]) + b'"open'
    assert "csv.broken" in [code for code, *_ in errors(AFile(raw={"users.csv": rows}).check())]


def test_nested_folders_are_refused():
    assert "zip.nested" in [code for code, *_ in errors(AFile(folder="名簿/").check())]


def test_truncated_and_foreign_files():
    assert [code for code, *_ in errors(AFile().check(lambda data: data[: len(data) // 2]))] == ["zip.truncated"]
    assert [code for code, *_ in errors(check(b"not a zip at all"))] == ["zip.not_a_zip"]
    assert [code for code, *_ in errors(check(b""))] == ["zip.empty"]


def test_a_damaged_table_is_told():
    data = bytearray(AFile().zipped())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        info = archive.getinfo("users.csv")
    start = info.header_offset + 30 + len("users.csv")
    data[start + 20] ^= 0xFF
    assert {"zip.damaged", "csv.broken", "file.encoding"} & {code for code, *_ in errors(check(bytes(data)))}


def test_zip_bombs_are_not_opened():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", b"0" * (30 * 1024 * 1024))
    assert [code for code, *_ in errors(check(target.getvalue()))] == ["zip.bomb_ratio"]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(70):
            archive.writestr(f"{number}.csv", b"")
    assert [code for code, *_ in errors(check(target.getvalue()))] == ["zip.too_many_entries"]


def test_a_lying_size_is_seen():
    data = bytearray(AFile().zipped())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        size = archive.getinfo("users.csv").file_size
    at = data.rfind(b"users.csv") - 46 + 24  # uncompressed size in the central directory
    data[at : at + 4] = (size - 10).to_bytes(4, "little")
    assert errors(check(bytes(data)))


def test_ten_thousand_errors_are_counted_and_a_thousand_shown():
    file = AFile()
    template = file.tables["enrollments"][1]
    file.tables["enrollments"] = [[f"e{n}", *template[1:5], f"nobody{n}", *template[6:]] for n in range(3_000)]
    checked = file.check()
    assert checked.findings.errors_total >= 3_000
    assert len(list(checked.findings)) == 1_000


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_damage_ever_raises(place: int, change: int):
    data = bytearray(AFile().zipped())
    data[place % len(data)] ^= change
    check(bytes(data))


@pytest.mark.parametrize("bit", range(48))
def test_no_promise_of_the_directory_ever_raises(bit: int):
    """Version needed, flags and compression method (PKWARE APPNOTE 4.4.3–4.4.5) of a member, each bit turned over."""
    data = bytearray(AFile().zipped())
    data[data.index(b"PK\x01\x02") + 6 + bit // 8] ^= 1 << bit % 8
    check(bytes(data))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(V6.files)), st.binary(max_size=400))
def test_any_bytes_as_a_table_only_make_findings(table: str, content: bytes):
    AFile(raw={f"{table}.csv": content}).check()


def test_rows_in_the_words_of_the_register():
    file = AFile()
    file.tables["roles"].append(["r3", "", "", TEACHER, "secondary", "principal", "", "", SCHOOL, ""])
    data = file.zipped()
    checked = check_package(io.BytesIO(data), len(data))
    rows = list(rows_of(io.BytesIO(data), len(data), checked))
    assert [row.kind for row in rows if isinstance(row, PersonRow)] == ["staff", "pupil"]
    assert [row.post for row in rows if isinstance(row, AppointmentRow)] == ["principal"]
    assert [(row.kind, row.class_source_id) for row in rows if isinstance(row, DutyRow)] == [("homeroom", CLASS)]
    member = next(row for row in rows if isinstance(row, MemberRow))
    assert (member.starts_on, member.ends_on, member.number) == ("2026-04-01", "2027-03-31", 1)


def test_end_date_is_exclusive_unless_it_is_the_end_of_the_year():
    file = AFile().put("enrollments", 1, "endDate", "2026-09-01")
    data = file.zipped()
    checked = check_package(io.BytesIO(data), len(data))
    member = next(row for row in rows_of(io.BytesIO(data), len(data), checked) if isinstance(row, MemberRow))
    assert member.ends_on == "2026-08-31"
