"""The records inside a package (`record/*.json`): one published schema and version each.

The shape is the exchange's own, not that of a service's contract: another maker's system writes and reads it from the
format page. A mark, a rating or a text is carried as it was decided by the school; nothing is recomputed on the way.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from dataexchange.domain import jose
from dataexchange.domain.package.manifest import Day, Role, School, Strict
from dataexchange.domain.refusals import Code, Refusal

SchoolYear = Annotated[int, Field(ge=1947, le=2200)]
SchoolGrade = Annotated[str, Field(pattern=r"^(P[1-6]|J[1-3]|H[1-3]|E[1-3])$")]
Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=20_000)]
Days = Annotated[int, Field(ge=0, le=366)]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


class Name(Strict):
    family: Short
    given: Short = ""
    middle: Short = ""


class Names(Strict):
    """The three name sets: official (戸籍), display (JIS X 0213), full-width katakana; 通称 where one is used."""

    official: Name
    display: Name
    kana: Name
    preferred: Name | None = None


class Guardian(Strict):
    names: Names
    relation: Short = ""
    address: Short = ""
    phone: Short = ""


class Learner(Strict):
    """`learner/1.0`: who the child is (指導要録 様式1, 児童の欄・保護者の欄)."""

    schema_: Annotated[Literal["learner/1.0"], Field(alias="schema")]
    person_id: Uuid
    names: Names
    born_on: Day
    sex: Literal["male", "female", "other", "unspecified"]
    address: Short = ""
    before_school: Short = ""
    guardians: list[Guardian] = Field(default_factory=list, max_length=10)


class Identifier(Strict):
    scheme: Short
    value: Short


class Identifiers(Strict):
    """`identifiers/1.0`: by which the child is found again: UUID, OneRoster sourcedId."""

    schema_: Annotated[Literal["identifiers/1.0"], Field(alias="schema")]
    person_id: Uuid
    others: list[Identifier] = Field(default_factory=list, max_length=50)


class EnrolmentEvent(Strict):
    """入学・編入学・転入学・転学・退学・卒業 with the dates the law asks for."""

    kind: Literal[
        "entered", "admitted_from_abroad", "transferred_in", "transferred_out", "withdrew", "graduated", "other"
    ]
    on: Day
    left_on: Day | None = None
    school: School
    school_grade: SchoolGrade | None = None
    counterpart: School | None = None
    reason: Short = ""


class Teacher(Strict):
    name: Short
    starts_on: Day | None = None
    ends_on: Day | None = None


class ClassYear(Strict):
    """One year of 様式1's foot: class, number, 校長 and every 学級担任者 of the year with the period."""

    school_year: SchoolYear
    school_grade: SchoolGrade
    school: School
    class_name: Short = ""
    attendance_number: Annotated[int | None, Field(ge=1, le=99)] = None
    principals: list[Teacher] = Field(default_factory=list, max_length=10)
    homeroom_teachers: list[Teacher] = Field(default_factory=list, max_length=20)


class EnrolmentHistory(Strict):
    """`enrolment_history/1.0`: 学籍に関する記録."""

    schema_: Annotated[Literal["enrolment_history/1.0"], Field(alias="schema")]
    events: Annotated[list[EnrolmentEvent], Field(max_length=100)]
    years: Annotated[list[ClassYear], Field(max_length=20)]


class ViewpointMark(Strict):
    viewpoint: Short
    mark: Short


class SubjectRecord(Strict):
    """各教科の学習の記録: 観点別学習状況 and 評定."""

    subject: Short
    code: Short = ""
    viewpoints: list[ViewpointMark] = Field(default_factory=list, max_length=10)
    rating: Short = ""
    text: Long = ""


class NotedItem(Strict):
    """特別活動の記録, 行動の記録: an item and whether ○ was given."""

    item: Short
    noted: bool


class NamedText(Strict):
    """A text column: 特別の教科 道徳, 外国語活動, 総合的な学習の時間, 総合所見 …"""

    title: Short
    text: Long


class AttendanceYear(Strict):
    """出欠の記録 by the arithmetic of 指導要録 (notice 30文科初第1845号)."""

    school_year: SchoolYear
    school_grade: SchoolGrade
    lesson_days: Days
    suspended_or_mourning: Days
    required: Days
    absent: Days
    present: Days
    late: Days = 0
    left_early: Days = 0
    until: Day | None = None
    note: Long = ""


class GuidanceYear(Strict):
    """`guidance_record/1.0`: 指導に関する記録 of one year."""

    schema_: Annotated[Literal["guidance_record/1.0"], Field(alias="schema")]
    school_year: SchoolYear
    school_grade: SchoolGrade
    school: School
    subjects: list[SubjectRecord] = Field(default_factory=list, max_length=60)
    special_activities: list[NotedItem] = Field(default_factory=list, max_length=30)
    behaviour: list[NotedItem] = Field(default_factory=list, max_length=30)
    texts: list[NamedText] = Field(default_factory=list, max_length=60)
    closed: bool
    open_reason: Short = ""


class AttendanceSummary(Strict):
    """`attendance_summary/1.0`: one line per school year."""

    schema_: Annotated[Literal["attendance_summary/1.0"], Field(alias="schema")]
    years: Annotated[list[AttendanceYear], Field(max_length=20)]


class Reason(Strict):
    """`reason/1.0`: the only content of a `return` package."""

    schema_: Annotated[Literal["reason/1.0"], Field(alias="schema")]
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,60}$")]
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    package_id: Uuid


SCHEMAS: Final[dict[str, type[Strict]]] = {
    "learner/1.0": Learner,
    "identifiers/1.0": Identifiers,
    "enrolment_history/1.0": EnrolmentHistory,
    "guidance_record/1.0": GuidanceYear,
    "attendance_summary/1.0": AttendanceSummary,
    "reason/1.0": Reason,
}
# Roles whose JSON must follow one of these schemas; other JSON (a received copy) is kept as it came.
SCHEMA_OF_ROLE: Final[dict[Role, str]] = {
    "learner": "learner/1.0",
    "identifiers": "identifiers/1.0",
    "enrolment_history": "enrolment_history/1.0",
    "guidance_record": "guidance_record/1.0",
    "attendance_summary": "attendance_summary/1.0",
    "reason": "reason/1.0",
}


def to_bytes(record: Strict) -> bytes:
    """UTF-8 JSON as people can read it (indented); the manifest's hash fixes the bytes."""
    return record.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode()


def parse(schema: str, data: bytes, path: str) -> Strict:
    """Raises: Refusal, naming the path of the record and of the first wrong member, never a value."""
    model = SCHEMAS.get(schema)
    if model is None:
        raise Refusal(Code.VERSION_UNSUPPORTED, schema[:40])
    value = jose.parse_json(data, Code.RECORD_INVALID, path)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise Refusal(Code.RECORD_INVALID, f"{path}: {where}"[:200]) from None


def json_schemas() -> dict[str, dict[str, Any]]:
    """The published JSON Schemas, by name and version."""
    return {name: model.model_json_schema(by_alias=True) for name, model in SCHEMAS.items()}
