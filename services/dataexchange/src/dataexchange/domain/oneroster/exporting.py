"""The register as a OneRoster package: display names and kana only, nothing the model forbids to send.

Not sent: official names, birth, sex, address, guardians, attendance, marks (相互運用標準モデル V6 §校務支援の要件).
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from jpschool import school_year as years
from jpschool.characters import proposed_display

from dataexchange.domain.oneroster.meanings import ROLES_BY_POST, subject_name_and_code
from dataexchange.domain.oneroster.writer import PackageWriter

PROFILE_KEYS = ("interop-v6", "interop-v5")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: one school or (blank) the whole board, in which profile, for whom and why."""

    school_id: str
    profile: str
    purpose: str
    recipient: str

    @classmethod
    def of(cls, school_id: str, profile: str, purpose: str, recipient: str) -> "Wanted":
        return cls(school_id, profile or PROFILE_KEYS[0], purpose.strip(), recipient.strip())

    def problems(self) -> list[tuple[str, str]]:
        """(field, what is missing)."""
        found = []
        if self.profile not in PROFILE_KEYS:
            found.append(("profile", "出力できる形式は相互運用標準モデルのV6とV5です。"))
        if not self.purpose:
            found.append(("purpose", "提供の目的を書いてください（例: 学習eポータルへの名簿連携）。"))
        if not self.recipient:
            found.append(("recipient", "提供先を書いてください。"))
        return found


@dataclass(frozen=True, slots=True)
class OutPerson:
    """A person as the outside may know them."""

    id: str
    family: str
    given: str
    middle: str
    kana_family: str
    kana_given: str
    kana_middle: str
    school_grade: str = ""


@dataclass(frozen=True, slots=True)
class OutMember:
    """A pupil in a class; days inclusive, ISO."""

    person: OutPerson
    number: int
    starts_on: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class OutDuty:
    """担任, 副担任 or 教科担任 of a class."""

    staff_id: str
    kind: str  # homeroom | assistant_homeroom | subject
    subject: str
    starts_on: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class OutClass:
    """学級 or 講座."""

    id: str
    school_year: int
    school_grade: str
    name: str
    kind: str  # homeroom | special_needs | course
    members: tuple[OutMember, ...]
    duties: tuple[OutDuty, ...]


@dataclass(frozen=True, slots=True)
class OutStaff:
    """A member of staff at one school (or the board)."""

    person: OutPerson
    post: str


@dataclass(frozen=True, slots=True)
class OutSchool:
    """A school with everything of the year."""

    id: str
    code: str
    name: str
    classes: tuple[OutClass, ...]
    staff: tuple[OutStaff, ...]

    @property
    def elementary(self) -> bool:
        return self.code.startswith("B")


@dataclass(frozen=True, slots=True)
class OutRegister:
    """One board."""

    id: str
    code: str
    name: str
    school_year: int
    schools: tuple[OutSchool, ...] = field(default=())


def out_id(*parts: str) -> str:
    """A UUID v4 for a row the register has no id for (roles, enrolments): the same in every export."""
    named = uuid.uuid5(uuid.NAMESPACE_URL, f"https://komu.example/oneroster/{'/'.join(parts)}")
    return str(uuid.UUID(bytes=named.bytes, version=4))


def write_tables(writer: PackageWriter, register: OutRegister) -> None:
    """All tables of the package; the caller finishes the writer."""
    tables = _Tables(register)
    writer.table("academicSessions", [tables.session()])
    writer.table("orgs", tables.orgs())
    writer.table("courses", tables.courses())
    writer.table("classes", tables.classes())
    writer.table("users", tables.users())
    writer.table("roles", tables.roles())
    writer.table("enrollments", tables.enrollments())


class _Tables:
    def __init__(self, register: OutRegister) -> None:
        self._register = register
        self._session = out_id(register.id, "session", str(register.school_year))
        self._title = years.title(register.school_year)
        self._starts = years.first_day(register.school_year).isoformat()
        self._ends = years.last_day(register.school_year).isoformat()

    def session(self) -> tuple[str, ...]:
        year = str(self._register.school_year)
        return (self._session, "", "", self._title, "schoolYear", self._starts, self._ends, "", year)

    def orgs(self) -> Iterator[tuple[str, ...]]:
        board = self._register
        yield (board.id, "", "", board.name, "district", board.code, "")
        for school in board.schools:
            yield (school.id, "", "", school.name, "school", school.code, board.id)

    def courses(self) -> Iterator[tuple[str, ...]]:
        for school in self._register.schools:
            yield (
                out_id(school.id, "homeroom"),
                "",
                "",
                self._session,
                f"{self._title} 学級",
                "",
                "",
                school.id,
                "",
                "",
            )
            for key in dict.fromkeys(self._course_key(one, duty) for one, duty in _lessons(school)):
                name, code = subject_name_and_code(key, elementary=school.elementary)
                title = f"{self._title} {name or '講座'}"
                yield (out_id(school.id, "course", key), "", "", self._session, title, "", "", school.id, name, code)

    def _course_key(self, one: OutClass, duty: OutDuty | None) -> str:
        return duty.subject if duty else ""

    def classes(self) -> Iterator[tuple[str, ...]]:
        for school in self._register.schools:
            homeroom = out_id(school.id, "homeroom")
            for one in school.classes:
                if one.kind != "course":
                    special = "true" if one.kind == "special_needs" else "false"
                    yield self._class(school, one.id, one.name, _grades(one), homeroom, "homeroom", "", special)
            for one, duty in _lessons(school):
                key = self._course_key(one, duty)
                name, _ = subject_name_and_code(key, elementary=school.elementary)
                title = one.name if one.kind == "course" else f"{one.name} {name}"
                course = out_id(school.id, "course", key)
                yield self._class(school, _lesson_id(one, key), title, _grades(one), course, "scheduled", key, "false")

    def _class(
        self, school: OutSchool, id_: str, title: str, grades: str, course: str, kind: str, subject: str, special: str
    ) -> tuple[str, ...]:
        name, code = subject_name_and_code(subject, elementary=school.elementary) if subject else ("", "")
        head = (id_, "", "", title, grades, course, "", kind)
        return (*head, "", school.id, self._session, name, code, "", special)

    def users(self) -> Iterator[tuple[str, ...]]:
        written: set[str] = set()
        for school in self._register.schools:
            for member in school.staff:
                if member.person.id not in written:
                    written.add(member.person.id)
                    yield _user(member.person, "", school.id, "")
            for one in _homerooms(school):
                for pupil in one.members:
                    if pupil.person.id not in written:
                        written.add(pupil.person.id)
                        yield _user(pupil.person, pupil.person.school_grade or one.school_grade, school.id, one.id)

    def roles(self) -> Iterator[tuple[str, ...]]:
        for school in self._register.schools:
            for member in school.staff:
                who = member.person.id
                primary, secondary = ROLES_BY_POST.get(member.post, ROLES_BY_POST["teacher"])
                for role_type, role in (("primary", primary), ("secondary", secondary)):
                    if role:
                        yield (out_id(who, school.id, role), "", "", who, role_type, role, "", "", school.id, "")
            for who in dict.fromkeys(pupil.person.id for one in _homerooms(school) for pupil in one.members):
                yield (out_id(who, school.id, "student"), "", "", who, "primary", "student", "", "", school.id, "")

    def enrollments(self) -> Iterator[tuple[str, ...]]:
        for school in self._register.schools:
            for one in school.classes:
                if one.kind != "course":
                    for duty in one.duties:
                        if duty.kind != "subject":
                            primary = "true" if duty.kind == "homeroom" else "false"
                            yield self._enrollment(
                                one.id, school.id, duty.staff_id, "teacher", primary, duty.starts_on, duty.ends_on
                            )
                    yield from self._members(one.id, school.id, one.members, numbered=True)
            for one, duty_of in _lessons(school):
                lesson = _lesson_id(one, self._course_key(one, duty_of))
                if duty_of:
                    span = (duty_of.starts_on, duty_of.ends_on)
                    yield self._enrollment(lesson, school.id, duty_of.staff_id, "teacher", "true", *span)
                yield from self._members(lesson, school.id, one.members, numbered=False)

    def _members(
        self, class_id: str, school_id: str, members: Sequence[OutMember], *, numbered: bool
    ) -> Iterator[tuple[str, ...]]:
        for member in members:
            number = str(member.number) if numbered and member.number else ""
            yield self._enrollment(
                class_id, school_id, member.person.id, "student", "false", member.starts_on, member.ends_on, number
            )

    def _enrollment(
        self, class_id: str, school: str, who: str, role: str, primary: str, starts: str, ends: str, number: str = ""
    ) -> tuple[str, ...]:
        begins, ends_before = starts or self._starts, _exclusive(ends, self._ends)
        id_ = out_id(class_id, who, role, begins)
        return (
            id_,
            "",
            "",
            class_id,
            school,
            who,
            role,
            primary,
            begins,
            ends_before,
            number,
            "true" if number else "",
        )


def _exclusive(last_day: str, year_ends: str) -> str:
    """endDate lies outside the period (OneRoster), but the end of the year is written as 31 March (日本版)."""
    if not last_day or last_day >= year_ends:
        return year_ends
    return (date.fromisoformat(last_day) + timedelta(days=1)).isoformat()


def _homerooms(school: OutSchool) -> Iterator[OutClass]:
    return (one for one in school.classes if one.kind != "course")


def _lessons(school: OutSchool) -> Iterator[tuple[OutClass, OutDuty | None]]:
    """Lessons with a teacher of their own: a subject duty in a homeroom, or a 講座. One per class and subject."""
    for one in school.classes:
        subjects = {duty.subject: duty for duty in one.duties if duty.kind == "subject"}
        if one.kind == "course":
            yield one, next(iter(subjects.values()), None)
        else:
            yield from ((one, duty) for duty in subjects.values())


def _lesson_id(one: OutClass, subject: str) -> str:
    return one.id if one.kind == "course" else out_id(one.id, subject)


def _grades(one: OutClass) -> str:
    """学年 of the class, or those of its pupils where it has none of its own (特別支援学級)."""
    found = {one.school_grade} if one.school_grade else {member.person.school_grade for member in one.members}
    return ",".join(sorted(found - {""}))


def _user(person: OutPerson, school_grade: str, org: str, home: str) -> tuple[str, ...]:
    given, family, middle = map(proposed_display, (person.given, person.family, person.middle))
    return (
        *(person.id, "", "", "true", person.id, "", given, family, middle),
        *("", "", "", "", "", school_grade, "", person.id, given, middle, family, org, ""),
        *(person.kana_given, person.kana_family, person.kana_middle, home),
        *(person.kana_family, person.kana_given, person.kana_middle),
    )
