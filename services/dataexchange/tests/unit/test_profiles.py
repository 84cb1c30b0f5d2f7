"""Every profile: its columns, what it asks, how it is told apart, and what the checker says of a package in it."""

import argparse
import io
import re
from pathlib import Path

import pytest
from dataexchange.commands import check_package as command
from dataexchange.domain import oneroster
from dataexchange.domain.oneroster.check import Checked, Purpose, check_package
from dataexchange.domain.oneroster.profile import (
    IMS_12,
    IMS_121,
    JP_11,
    JP_121,
    K12,
    MANIFEST_FILES,
    PUBLISHED,
    V3,
    V4,
    V5,
    V6,
    Profile,
)
from dataexchange.domain.oneroster.reader import person_id, rows_of
from dataexchange.domain.oneroster.remedies import REMEDIES
from dataexchange.domain.oneroster.rows import ClassRow, MemberRow, OrgRow, PersonRow
from dataexchange.domain.oneroster.writer import in_columns_of

from services.dataexchange.tests.unit.oneroster_files import CLASS, PUPIL, SCHOOL, SESSION, AFile, errors, right_tables


def a_file(profile: Profile) -> AFile:
    """The small right package in the columns and days of `profile`."""
    tables = {name: [list(row) for row in in_columns_of(profile, name, rows)] for name, rows in right_tables().items()}
    if not profile.whole_years:
        tables["academicSessions"][0][6:9] = ["2027-04-01", "", "2027"]
    return AFile(tables=tables, profile=profile)


def conformance(file: AFile, chosen: Profile | None = None) -> Checked:
    data = file.zipped()
    stream = io.BytesIO(data)
    return check_package(
        stream, len(data), "RO_20260401_479901.zip", purpose=Purpose.CONFORMANCE, chosen=chosen
    )  # fmt: skip


@pytest.mark.parametrize("profile", PUBLISHED, ids=lambda one: one.key)
def test_every_profile_has_all_21_files_and_reads_what_it_writes(profile: Profile):
    assert set(profile.files) == set(MANIFEST_FILES)
    assert len(MANIFEST_FILES) == 21
    checked = conformance(a_file(profile), chosen=profile)
    assert list(checked.findings) == []
    assert checked.profile is profile


@pytest.mark.parametrize(
    ("written", "recognised"),
    [
        *((one, one) for one in (V6, V5, V3, JP_121, IMS_121, IMS_12)),
        *((K12, V6), (V4, V5), (JP_11, V3)),
    ],
    ids=lambda one: one.key,
)
def test_the_profile_is_seen_from_manifest_and_columns_the_stricter_where_both_fit(
    written: Profile, recognised: Profile
):
    assert conformance(a_file(written)).profile is recognised


def test_the_table_of_differences():
    """interop.md 2.1–2.3."""
    assert [one.oneroster_version for one in (IMS_12, JP_11, JP_121, V3)] == ["1.2"] * 4
    assert [one.oneroster_version for one in (IMS_121, V4, V5)] == ["1.2.1"] * 3
    assert [one.oneroster_version for one in (K12, V6)] == ["1.2_JP"] * 2
    with_resources = {one.key for one in PUBLISHED if "resourceSourcedIds" in one.header("users")}
    assert with_resources == {IMS_12.key, JP_11.key, V3.key}
    assert all(one.header("users")[-3:] != V6.header("users")[-3:] for one in (JP_11, V3, IMS_12, IMS_121))
    assert V6.header("users")[-3:] == (
        "metadata.jp.kanaPreferredFamilyName", "metadata.jp.kanaPreferredGivenName",
        "metadata.jp.kanaPreferredMiddleName",
    )  # fmt: skip
    assert {one.header("enrollments")[-2] for one in (V6, K12)} == {"metadata.jp.shussekiNo"}
    assert {one.header("enrollments")[-2] for one in (V5, V4, V3, JP_121, JP_11)} == {"metadata.jp.ShussekiNo"}


@pytest.mark.parametrize(
    ("profile", "table", "column", "value", "code"),
    [
        (K12, "users", "preferredFamilyName", "", None),
        (V6, "users", "preferredFamilyName", "", "value.missing"),
        (JP_121, "users", "userMasterIdentifier", "", None),
        (V4, "users", "userMasterIdentifier", "", "value.missing"),
        (IMS_121, "users", "familyName", "髙橋", None),
        (JP_121, "users", "familyName", "髙橋", "text.outside_jis_x_0213"),
        (IMS_12, "users", "userMasterIdentifier", "any", None),
        (IMS_12, "roles", "role", "ext:demonstrator", None),
        (IMS_12, "roles", "role", "demonstrator", "token.unknown"),
        (JP_11, "roles", "role", "ext:demonstrator", "token.extension"),
        (IMS_12, "orgs", "type", "national", None),
        (IMS_12, "academicSessions", "type", "term", None),
        (IMS_12, "academicSessions", "endDate", "2026-04-01", "session.end"),
        (IMS_12, "courses", "courseCode", "X1", None),
    ],
)  # fmt: skip
def test_what_one_profile_asks_and_another_does_not(
    profile: Profile, table: str, column: str, value: str, code: str | None
):
    row = 0 if table in ("academicSessions", "courses", "roles", "orgs") else 1
    found = conformance(a_file(profile).put(table, row, column, value), chosen=profile)
    told = [one for one, *_ in errors(found) if one != "reference.unknown"]
    assert told == ([code] if code else [])


def test_the_letter_case_of_another_version_is_an_error_to_the_checker_and_a_note_to_the_import():
    file = a_file(V6)
    file.headers["enrollments"] = list(V5.header("enrollments"))
    assert errors(conformance(file)) == [("header.other_version", "enrollments.csv", 1, "")]
    assert errors(file.check()) == []


def test_the_gradebook_is_checked_too():
    file = a_file(V6)
    file.tables["categories"] = [["c1", "", "", "小テスト", "1.5"]]
    file.tables["lineItems"] = [
        ["l1", "", "", "計算", "", "2026-05-01", "2026-05-08", CLASS, "c1", SESSION, "0", "十", SCHOOL]
    ]
    file.tables["results"] = [
        ["x1", "", "", "l9", PUPIL, "done", "8", "2026-05-08", "", "", "", "", "", "", ""]
    ]  # fmt: skip
    assert errors(conformance(file)) == [
        ("number.form", "lineItems.csv", 2, "resultValueMax"),
        ("reference.unknown", "results.csv", 2, "lineItemSourcedId"),
        ("token.unknown", "results.csv", 2, "scoreStatus"),
    ]


def a_delta(**cells: str) -> AFile:
    """Only the users table, as delta."""
    file = a_file(V6)
    file.tables = {"users": file.tables["users"]}
    values = {"status": "active", "dateLastModified": "2026-05-01T00:00:00.000Z", **cells}
    for row in range(2):
        for column, value in values.items():
            file.put("users", row, column, value)
    return file.manifest_value("file.users", "delta")


def test_a_delta_package_says_what_became_of_each_row_and_points_at_what_came_before():
    assert errors(conformance(a_delta())) == []
    assert {code for code, *_ in errors(conformance(a_delta(status="")))} == {"value.missing"}
    assert {code for code, *_ in errors(conformance(a_delta(status="deleted")))} == {"token.unknown"}
    assert {code for code, *_ in errors(conformance(a_delta(dateLastModified="2026-05-01")))} == {"instant.form"}


def test_a_plain_oneroster_package_comes_into_the_register():
    """Names without a preferred form, no kana, a school year named by its end, no UUID of the person."""
    file = a_file(IMS_12)
    for column in ("preferredGivenName", "preferredFamilyName", "userMasterIdentifier"):
        file.put("users", 1, column, "")
    file.tables["users"][1][0] = file.tables["roles"][1][3] = file.tables["enrollments"][1][5] = "pupil-7"
    data = file.zipped()
    checked = check_package(io.BytesIO(data), len(data))
    assert errors(checked) == []
    rows = list(rows_of(io.BytesIO(data), len(data), checked))
    pupil = next(row for row in rows if isinstance(row, PersonRow) and row.kind == "pupil")
    assert (pupil.family, pupil.given, pupil.kana_family) == ("青空", "花", "")
    assert pupil.person_id == person_id("pupil-7", "")
    assert pupil.person_id[14] == "4"
    assert [row.school_year for row in rows if isinstance(row, ClassRow)] == [2026]
    assert [(row.starts_on, row.ends_on) for row in rows if isinstance(row, MemberRow)] == [
        ("2026-04-01", "2027-03-31")
    ]
    assert len([row for row in rows if isinstance(row, OrgRow)]) == 2


def test_a_school_without_its_code_does_not_come_into_the_register():
    file = a_file(IMS_12).put("orgs", 1, "identifier", "")
    assert errors(conformance(file)) == []
    assert errors(file.check()) == [("orgs.school_code", "orgs.csv", 3, "identifier")]


def test_an_identifier_issued_elsewhere_is_kept():
    elsewhere = "018f3b8c-1e5a-7a47-8d09-9b6e71c0d2a8"  # a v7
    assert person_id("s-1", elsewhere.upper()) == elsewhere
    assert person_id(elsewhere, "") == elsewhere
    assert person_id("s-1", "") == person_id("s-1", "12345") != person_id("s-2", "")


def test_every_finding_says_what_to_do():
    source = "".join(path.read_text() for path in Path(next(iter(oneroster.__path__))).glob("*.py"))
    codes = set(re.findall(r'"((?:zip|file|csv|header|manifest|value|text|guid|uuid|token|kana|date|instant|boolean|'
                           r'integer|number|school_grade|reference|orgs|session|classes|users|roles|enrollments|subjects|'
                           r'demographics|supplement|school_code|postal)\.[a-z][a-z0-9_]+)"', source))  # fmt: skip
    codes = {one for one in codes if not one.endswith(".csv")}
    assert codes | {"orgs.school_code", "orgs.district_code"} == REMEDIES.keys()


def test_the_command_tells_every_finding_and_its_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "RO_20260401_479901.zip"
    path.write_bytes(a_file(V5).put("users", 1, "metadata.jp.kanaGivenName", "はな").zipped())
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args([str(path)])) == 1
    told = capsys.readouterr().out
    assert "誤り 3行 metadata.jp.kanaGivenName「はな」" in told
    assert "→ 全角カタカナに直してください。 [kana.form]" in told
    assert command.run(parser.parse_args([str(path), "--csv", "--profile", "interop-v6"])) == 1
    assert "manifest.oneroster_version" in capsys.readouterr().out
    assert command.run(parser.parse_args([str(tmp_path / "none.zip")])) == 2
