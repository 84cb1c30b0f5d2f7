"""A demo board as the tables of a OneRoster package, as its 学籍補足 and as its 学校補足."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from jpschool import school_year
from jpschool.school_grade import SchoolGrade

from dataexchange.domain.demo.boards import SCHOOL_YEAR, DemoBoard, DemoSchool, demo_id
from dataexchange.domain.demo.names import Written
from dataexchange.domain.demo.pupils import SPECIAL_NEEDS, DemoPupil, pupils_of
from dataexchange.domain.demo.staff import DemoStaff, colleague, signing_in
from dataexchange.domain.oneroster.meanings import ROLES_BY_POST, SUBJECTS, Subject
from dataexchange.domain.oneroster.profile import V6
from dataexchange.domain.oneroster.school_supplement import SchoolSupplementRow
from dataexchange.domain.oneroster.supplement import GuardianRow, SupplementRow
from dataexchange.domain.oneroster.writer import PackageWriter

STARTS, ENDS = school_year.first_day(SCHOOL_YEAR).isoformat(), school_year.last_day(SCHOOL_YEAR).isoformat()
_TITLE = school_year.title(SCHOOL_YEAR)
# 専科 in 小学校; in 中学校 every subject has its own teacher.
_SPECIALIST_SUBJECTS = ("music",)
# Who leads which class (担任) and teaches which subject, by account; everybody else is a colleague without an account.
_HOMEROOM_OF = {
    ("es", SchoolGrade.P3, 1): "teacher1",
    ("es", SchoolGrade.P3, 2): "teacher2",
    ("es", SchoolGrade.P4, 1): "teacher3",
    ("es", SchoolGrade.P6, 1): "teacher9",
    ("jh", SchoolGrade.J1, 1): "teacher1",
    ("jh", SchoolGrade.J2, 1): "teacher2",
    ("jh", SchoolGrade.J3, 1): "teacher3",
}
_SUBJECT_OF = {
    ("es", "music"): "teacher4",
    ("jh", "japanese"): "teacher1",
    ("jh", "mathematics"): "teacher2",
    ("jh", "foreign_language"): "teacher3",
}


@dataclass(frozen=True, slots=True)
class _Class:
    """学級 with its 担任."""

    id: str
    title: str
    school_grade: SchoolGrade | None
    number: int
    teacher: DemoStaff


class DemoRoster:
    """One board, complete. Same board, same bytes."""

    def __init__(self, board: DemoBoard) -> None:
        self.board = board
        self._staff = {one.username: one for one in signing_in(board)}
        self.pupils = {school.key: list(pupils_of(board, school)) for school in board.schools}
        self._colleagues: dict[str, int] = defaultdict(int)
        self._subject_teachers: dict[tuple[str, str], DemoStaff] = {}
        self.classes: dict[str, list[_Class]] = {school.key: self._classes(school) for school in board.schools}
        for school in board.schools:
            for subject in self._specialities(school):
                self._subject_teachers[school.key, subject] = self._one(school, _SUBJECT_OF.get((school.key, subject)))

    @property
    def staff(self) -> list[DemoStaff]:
        return list(self._staff.values())

    def write_package(self, target: IO[bytes]) -> dict[str, int]:
        """Write the OneRoster V6 package; rows by table."""
        writer = PackageWriter(target, V6, system_name="Komu demo")
        writer.table("academicSessions", [self._session()])
        writer.table("orgs", self._orgs())
        writer.table("courses", self._courses())
        writer.table("classes", self._class_rows())
        writer.table("users", self._users())
        writer.table("roles", self._roles())
        writer.table("enrollments", self._enrollments())
        writer.finish()
        return writer.rows_by_file

    def supplement(self) -> Iterator[SupplementRow]:
        """学籍補足: official names, birth, address, guardians, 入学 of every pupil; official names of staff."""
        for one in self.staff:
            if one.name.official:
                yield SupplementRow(person_id=one.id, family=one.name.official.family, given=one.name.official.given)
        for school in self.board.schools:
            for pupil in self.pupils[school.key]:
                official = pupil.name.on_the_register
                alias = pupil.name.alias or Written("", "")
                yield SupplementRow(
                    person_id=pupil.id,
                    family=official.family,
                    given=official.given,
                    middle=official.middle,
                    alias_family=alias.family,
                    alias_given=alias.given,
                    sex=pupil.sex,
                    birth_on=pupil.born_on.isoformat(),
                    postal_code=pupil.postal,
                    address=pupil.address,
                    admitted_on=pupil.admitted_on.isoformat(),
                    prior_history=pupil.prior_history,
                    protected_address=pupil.protected,
                    guardians=tuple(
                        GuardianRow(
                            one.name.family,
                            one.name.given,
                            one.kana.family,
                            one.kana.given,
                            one.relationship,
                            one.phone,
                            one.address,
                        )
                        for one in pupil.guardians
                    ),
                )

    def school_supplement(self) -> Iterator[SchoolSupplementRow]:
        """学校補足: where the schools stand."""
        for school in self.board.schools:
            yield SchoolSupplementRow(school.code, school.name, school.address)

    # -- who teaches what ------------------------------------------------------------------------------------------

    def _classes(self, school: DemoSchool) -> list[_Class]:
        found = []
        for school_grade, sizes in school.class_sizes.items():
            for number in range(1, len(sizes) + 1):
                teacher = self._one(school, _HOMEROOM_OF.get((school.key, school_grade, number)))
                found.append(
                    _Class(
                        self._class_id(school, school_grade, number),
                        f"{school_grade.label}{number}組",
                        school_grade,
                        number,
                        teacher,
                    )
                )
        special = self._class_id(school, None, SPECIAL_NEEDS)
        found.append(_Class(special, "ひまわり学級", None, SPECIAL_NEEDS, self._one(school, None)))
        return found

    def _one(self, school: DemoSchool, account: str | None) -> DemoStaff:
        username = f"{self.board.tenant}.{school.key}.{account}"
        if account and username in self._staff:
            return self._staff[username]
        self._colleagues[school.key] += 1
        new = colleague(self.board, school, self._colleagues[school.key])
        self._staff[new.username] = new
        return new

    def _specialities(self, school: DemoSchool) -> tuple[str, ...]:
        if school.elementary:
            return _SPECIALIST_SUBJECTS
        return tuple(subject.key for subject in SUBJECTS if subject.code.startswith("J"))

    def _class_id(self, school: DemoSchool, school_grade: SchoolGrade | None, number: int) -> str:
        return demo_id(
            self.board.tenant, school.key, "class", school_grade.value if school_grade else "special", str(number)
        )

    def _org_id(self, school: DemoSchool | None) -> str:
        return demo_id(self.board.tenant, "org", school.key if school else "board")

    # -- tables ----------------------------------------------------------------------------------------------------

    @property
    def _session_id(self) -> str:
        return demo_id(self.board.tenant, "session", str(SCHOOL_YEAR))

    def _session(self) -> tuple[str, ...]:
        return (self._session_id, "", "", _TITLE, "schoolYear", STARTS, ENDS, "", str(SCHOOL_YEAR))

    def _orgs(self) -> Iterator[tuple[str, ...]]:
        yield (self._org_id(None), "", "", self.board.name, "district", self.board.code, "")
        for school in self.board.schools:
            yield (self._org_id(school), "", "", school.name, "school", school.code, self._org_id(None))

    def _course_id(self, school: DemoSchool, subject: str) -> str:
        return demo_id(self.board.tenant, school.key, "course", subject)

    def _courses(self) -> Iterator[tuple[str, ...]]:
        for school in self.board.schools:
            yield self._course(school, "homeroom", "学級", "", "")
            for key in self._specialities(school):
                subject = _subject(school, key)
                yield self._course(school, key, subject.names[0], subject.names[0], subject.code)

    def _course(self, school: DemoSchool, key: str, title: str, name: str, code: str) -> tuple[str, ...]:
        grades = ",".join(school.class_sizes)
        head = (self._course_id(school, key), "", "", self._session_id, f"{_TITLE} {title}", "")
        return (*head, grades, self._org_id(school), name, code)

    def _class_rows(self) -> Iterator[tuple[str, ...]]:
        for school in self.board.schools:
            org = self._org_id(school)
            for one in self.classes[school.key]:
                grades = one.school_grade.value if one.school_grade else ",".join(self._grades_of_special(school))
                course = self._course_id(school, "homeroom")
                special = "false" if one.school_grade else "true"
                head = (one.id, "", "", one.title, grades, course, "", "homeroom")
                yield (*head, "", org, self._session_id, "", "", "", special)
            for one, key in self._lessons(school):
                subject = _subject(school, key)
                school_grade = one.school_grade.value if one.school_grade else ""
                title = f"{one.title} {subject.names[0]}"
                lesson = (self._lesson_id(one, key), "", "", title, school_grade, self._course_id(school, key))
                tail = ("", org, self._session_id, subject.names[0], subject.code, "", "false")
                yield (*lesson, "", "scheduled", *tail)

    def _grades_of_special(self, school: DemoSchool) -> list[str]:
        grades = {one.school_grade for one in self.pupils[school.key] if one.class_number == SPECIAL_NEEDS}
        return [school_grade.value for school_grade in school.class_sizes if school_grade in grades]

    def _lessons(self, school: DemoSchool) -> Iterator[tuple[_Class, str]]:
        """Lessons with a teacher of their own: (class, subject)."""
        for one in self.classes[school.key]:
            if one.school_grade is None or (school.elementary and one.school_grade.year < 3):
                continue
            for key in self._specialities(school):
                yield one, key

    def _lesson_id(self, one: _Class, subject: str) -> str:
        return demo_id(one.id, subject)

    def _users(self) -> Iterator[tuple[str, ...]]:
        for member in self.staff:
            org = self._org_id(member.school)
            yield _user(member.id, member.username, member.name.display, member.name.kana, "", org, "")
        for school in self.board.schools:
            org = self._org_id(school)
            for pupil in self.pupils[school.key]:
                home = self._home_class(school, pupil)
                username = f"{self.board.tenant}.{school.key}.{pupil.id[:8]}"
                name = pupil.name
                yield _user(pupil.id, username, name.display, name.kana, pupil.school_grade.value, org, home)

    def _home_class(self, school: DemoSchool, pupil: DemoPupil) -> str:
        school_grade = None if pupil.class_number == SPECIAL_NEEDS else pupil.school_grade
        return self._class_id(school, school_grade, pupil.class_number)

    def _roles(self) -> Iterator[tuple[str, ...]]:
        for member in self.staff:
            primary, secondary = ROLES_BY_POST[member.post]
            org = self._org_id(member.school)
            yield (demo_id(member.id, "role"), "", "", member.id, "primary", primary, "", "", org, "")
            if secondary:
                yield (demo_id(member.id, "role2"), "", "", member.id, "secondary", secondary, "", "", org, "")
        for school in self.board.schools:
            org = self._org_id(school)
            for pupil in self.pupils[school.key]:
                yield (demo_id(pupil.id, "role"), "", "", pupil.id, "primary", "student", "", "", org, "")

    def _enrollments(self) -> Iterator[tuple[str, ...]]:
        for school in self.board.schools:
            org = self._org_id(school)
            lessons: dict[str, list[str]] = defaultdict(list)
            for one in self.classes[school.key]:
                yield self._enrollment(one.id, org, one.teacher.id, "teacher", "true")
            for one, key in self._lessons(school):
                lesson = self._lesson_id(one, key)
                lessons[one.id].append(lesson)
                yield self._enrollment(lesson, org, self._subject_teachers[school.key, key].id, "teacher", "true")
            for pupil in self.pupils[school.key]:
                home = self._home_class(school, pupil)
                begins = pupil.starts_on.isoformat() if pupil.starts_on else STARTS
                yield self._enrollment(home, org, pupil.id, "student", "false", str(pupil.number), begins)
                for lesson in lessons[home]:
                    yield self._enrollment(lesson, org, pupil.id, "student", "false", "", begins)

    def _enrollment(
        self, class_id: str, org: str, user: str, role: str, primary: str, number: str = "", begins: str = STARTS
    ) -> tuple[str, ...]:
        sourced_id = demo_id("enrollment", class_id, user)
        return (sourced_id, "", "", class_id, org, user, role, primary, begins, ENDS, number, "true" if number else "")


def _subject(school: DemoSchool, key: str) -> Subject:
    letter = "P" if school.elementary else "J"
    return next(one for one in SUBJECTS if one.key == key and one.code.startswith(letter))


def _user(
    id_: str, username: str, name: Written, kana: Written, school_grade: str, org: str, home: str
) -> tuple[str, ...]:
    return (
        *(id_, "", "", "true", username, "", name.given, name.family, name.middle),
        *("", "", "", "", "", school_grade, "", id_),
        *(name.given, name.middle, name.family, org, "", kana.given, kana.family, kana.middle, home),
        *(kana.family, kana.given, kana.middle),
    )
