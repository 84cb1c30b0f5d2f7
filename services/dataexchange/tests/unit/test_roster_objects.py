"""The register as OneRoster objects: what leaves, under which ids, and what an object belongs to."""

from datetime import UTC, datetime

from dataexchange.domain.roster_objects import bodies, making
from dataexchange.domain.roster_objects.making import Placement
from dataexchange.domain.roster_objects.sources import (
    Board,
    Duty,
    Member,
    Names,
    Post,
    School,
    SchoolClass,
    Staff,
)

BOARD = Board("10000000-0000-4000-8000-000000000001", "479901", "青空市教育委員会")
SCHOOL = School("20000000-0000-4000-8000-000000000001", "B147299100018", "青空市立あおぞら小学校")
CLASS = SchoolClass(
    "30000000-0000-4000-8000-000000000001", SCHOOL.id, 2026, "P3", "3年1組", "homeroom",
    (Member("40000000-0000-4000-8000-000000000001", 7, "2026-04-01", "", "P3"),
     Member("40000000-0000-4000-8000-000000000002", 8, "2026-04-01", "2026-06-30", "P3")),
)  # fmt: skip
TEACHER = "50000000-0000-4000-8000-000000000001"
DUTIES = (
    Duty(TEACHER, "homeroom", CLASS.id, "", "2026-04-01", ""),
    Duty(TEACHER, "subject", CLASS.id, "music", "2026-04-01", ""),
)


def of_kind(kind: str) -> list[making.Made]:
    return [one for one in making.of_class(BOARD, SCHOOL, CLASS, DUTIES) if one.kind == kind]


def test_a_class_is_its_homeroom_and_the_lessons_that_have_a_teacher_of_their_own():
    titles = [(one.content["title"], one.content["classType"]) for one in of_kind("class")]
    assert titles == [("3年1組", "homeroom"), ("3年1組 音楽", "scheduled")]
    assert of_kind("class")[1].content["subjectCodes"] == ["P060"]
    assert of_kind("academicSession")[0].content["endDate"] == "2027-03-31"


def test_the_number_and_the_day_after_the_last_are_told_with_the_enrolment():
    first, second = [
        one.content for one in of_kind("enrollment") if one.content["role"] == "student" and "home" in one.refs
    ]
    assert first["metadata"] == {"jp.shussekiNo": 7, "jp.publicFlg": True}
    assert first["endDate"] == "2027-03-31"
    assert second["endDate"] == "2026-07-01"


def test_a_name_leaves_in_the_characters_of_jis_x_0213_and_nothing_forbidden_leaves():
    made, demographics = making.pupil(
        CLASS.members[0].pupil_id, Names("𠮷田󠄀", "花", "", "ヨシダ", "ハナ"),
        [Placement(CLASS.id, SCHOOL.id, "P3", "2026-04-01", "2027-03-31")],
    )  # fmt: skip
    assert made.content["familyName"] == made.content["preferredLastName"] == "吉田"
    assert made.content["preferredFirstName"] == "花"
    assert made.content["metadata"]["jp.homeClass"] == CLASS.id
    assert made.content["grades"] == ["P3"]
    assert not {"birthDate", "sex", "email", "phone"} & made.content.keys()
    assert demographics.content == {}


def test_a_head_is_a_teacher_first_and_belongs_to_each_school_served():
    former = Post("20000000-0000-4000-8000-000000000002", "vice_principal", "2023-04-01", "2026-03-31")
    staff = Staff(TEACHER, (former, Post(SCHOOL.id, "principal", "2026-04-01", "")), ())
    made = making.staff_user(BOARD, staff, Names("青木", "校一"), "2026-11-21")
    assert making.staff_user(BOARD, Staff(TEACHER, (former,), ()), Names("青木", "校一"), "2026-04-01") is None
    assert made is not None
    assert [(one["roleType"], one["role"]) for one in made.content["roles"]] == [
        ("primary", "teacher"), ("secondary", "principal"),
    ]  # fmt: skip
    assert made.refs == {f"school:{SCHOOL.id}", "is:teacher"}


def test_what_says_the_same_has_the_same_digest_whenever_it_is_made():
    again = of_kind("class")[0].content
    assert bodies.digest(again) == bodies.digest(of_kind("class")[0].content)
    text = bodies.body("x", bodies.ACTIVE, datetime(2026, 4, 1, tzinfo=UTC), {"title": "3年1組"})
    assert text == '{"sourcedId":"x","status":"active","dateLastModified":"2026-04-01T00:00:00.000Z","title":"3年1組"}'
