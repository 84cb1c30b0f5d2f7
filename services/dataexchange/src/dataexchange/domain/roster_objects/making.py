"""From what the register told to OneRoster 1.2 objects, as the Japan Profile (相互運用標準モデル V6) reads them.

What leaves: display names, kana, classes, duties as enrolments. Never official names, birth, sex, address, guardians,
attendance, marks (the model's principle). `sourcedId` is the person's UUID, a foreign one included.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from jpschool import school_year as years
from jpschool.characters import proposed_display

from dataexchange.domain.oneroster.exporting import out_id
from dataexchange.domain.oneroster.meanings import ROLES_BY_POST, subject_name_and_code
from dataexchange.domain.roster_objects.sources import Board, Duty, Member, Names, School, SchoolClass, Staff

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """One object without the members that the store adds: `sourcedId`, `status`, `dateLastModified`."""

    kind: str
    id: str
    content: Json
    refs: frozenset[str] = field(default=frozenset())
    source: str | None = None
    """The class of the register that it is made of, and goes with."""
    class_id: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """A pupil's time in a homeroom; `ends_before` lies outside of it, except for the year's last day."""

    class_id: str
    school_id: str
    school_grade: str
    starts_on: str
    ends_before: str


def ref(kind: str, id_: str) -> Json:
    """GUIDRef. Prepared answers name no host; it stands before the address when they are served."""
    service = "gradebook" if kind in ("category", "lineItem") else "rostering"
    path = {"academicSession": "academicSessions", "class": "classes", "category": "categories"}.get(kind, f"{kind}s")
    return {"href": f"/ims/oneroster/{service}/v1p2/{path}/{id_}", "sourcedId": id_, "type": kind}


def session_id(board: Board, school_year: int) -> str:
    return out_id(board.id, "session", str(school_year))


def session(board: Board, school_year: int) -> Made:
    """学年度: the title, both days inclusive, and the year it begins in (日本版; the base standard says otherwise)."""
    content = {
        "title": years.title(school_year), "type": "schoolYear",
        "startDate": years.first_day(school_year).isoformat(), "endDate": years.last_day(school_year).isoformat(),
        "schoolYear": str(school_year),
    }  # fmt: skip
    return Made("academicSession", session_id(board, school_year), content, frozenset({"board", "is:schoolYear"}))


def board_org(board: Board) -> Made:
    content = {"name": board.name, "type": "district", "identifier": board.code}
    return Made("org", board.id, content, frozenset({"board", "is:district"}))


def school_org(board: Board, school: School) -> Made:
    content = {"name": school.name, "type": "school", "identifier": school.code, "parent": ref("org", board.id)}
    return Made("org", school.id, content, frozenset({f"school:{school.id}", "is:school"}))


def of_class(
    board: Board, school: School, one: SchoolClass, duties: Sequence[Duty]
) -> Iterator[Made]:  # fmt: skip
    """The class, the lessons in it that have a teacher of their own, their courses, and all enrolments in them."""
    yield session(board, one.school_year)
    grades = _grades(one)
    subjects = {duty.subject: duty for duty in duties if duty.kind == "subject"}
    if one.kind != "course":
        course = Made(
            "course", out_id(school.id, "homeroom", str(one.school_year)),
            _course(board, school, one.school_year, f"{years.title(one.school_year)} 学級", "", ""),
            frozenset({f"school:{school.id}"}),
        )  # fmt: skip
        yield course
        yield _class(board, school, one, one.id, one.name, grades, course.id, "homeroom", ("", ""))
        for duty in duties:
            if duty.kind != "subject":
                yield _enrollment(school, one, one.id, duty.staff_id, "teacher", duty.starts_on, duty.ends_on,
                                  primary=duty.kind == "homeroom")  # fmt: skip
        yield from _members(school, one, one.id, homeroom=True)
    for key, lesson in subjects.items() if subjects else ([("", None)] if one.kind == "course" else []):
        name, code = subject_name_and_code(key, elementary=school.elementary) if key else ("", "")
        title = f"{years.title(one.school_year)} {name or '講座'}"
        course_id = out_id(school.id, "course", key, str(one.school_year))
        yield Made(
            "course", course_id, _course(board, school, one.school_year, title, name, code),
            frozenset({f"school:{school.id}"}),
        )  # fmt: skip
        class_id = one.id if one.kind == "course" else out_id(one.id, key)
        its_title = one.name if one.kind == "course" else f"{one.name} {name}"
        yield _class(board, school, one, class_id, its_title, grades, course_id, "scheduled", (name, code))
        if lesson is not None:
            yield _enrollment(
                school, one, class_id, lesson.staff_id, "teacher", lesson.starts_on, lesson.ends_on, primary=True
            )
        yield from _members(school, one, class_id, homeroom=False)
        if one.kind == "course":
            return


def pupil(id_: str, names: Names, placements: Sequence[Placement]) -> list[Made]:
    """A pupil at the school of the newest homeroom; the role ends where the pupil has left it."""
    newest = max(placements, key=lambda place: place.starts_on)
    schools = dict.fromkeys(place.school_id for place in placements)
    roles = []
    for school_id in schools:
        at = [place for place in placements if place.school_id == school_id]
        roles.append(
            {
                "roleType": "primary" if school_id == newest.school_id else "secondary", "role": "student",
                "org": ref("org", school_id), "beginDate": min(place.starts_on for place in at),
                "endDate": max(place.ends_before for place in at),
            }
        )  # fmt: skip
    content = _user(id_, names, roles, newest.school_id)
    if newest.school_grade:
        content["grades"] = [newest.school_grade]
    content["metadata"]["jp.homeClass"] = newest.class_id
    refs = frozenset({"is:student", *(f"school:{school_id}" for school_id in schools)})
    return [Made("user", id_, content, refs), Made("demographics", id_, {}, refs)]


def staff_user(board: Board, staff: Staff, names: Names, on: str) -> Made | None:
    """A member of staff with the roles of the posts held on that day or later; None for whoever holds none."""
    roles: list[Json] = []
    posts = [post for post in staff.posts if not post.ends_on or post.ends_on >= on]
    for post in sorted(posts, key=lambda post: post.starts_on, reverse=True):
        primary, secondary = ROLES_BY_POST.get(
            post.post if post.school_id else "board_office", ROLES_BY_POST["teacher"]
        )
        org = post.school_id or board.id
        for role_type, role in (("primary", primary), ("secondary", secondary)):
            if role and not any(held["role"] == role and held["org"]["sourcedId"] == org for held in roles):
                span = {"beginDate": post.starts_on} | (
                    {"endDate": _day_after(post.ends_on)} if post.ends_on else {}
                )
                first = role_type == "primary" and not any(held["roleType"] == "primary" for held in roles)
                roles.append(
                    {"roleType": "primary" if first else "secondary", "role": role, "org": ref("org", org), **span}
                )
    if not roles:
        return None
    orgs = dict.fromkeys(post.school_id or board.id for post in posts)
    refs = {f"school:{org}" for org in orgs if org != board.id} | ({"board"} if board.id in orgs else set())
    teaches = {"is:teacher"} if any(held["role"] == "teacher" for held in roles) else set()
    content = _user(staff.id, names, roles, roles[0]["org"]["sourcedId"])
    return Made("user", staff.id, content, frozenset(refs | teaches))


def _user(id_: str, names: Names, roles: list[Json], org: str) -> Json:
    family, given, middle = map(proposed_display, (names.family, names.given, names.middle))
    middle_names = {"middleName": middle, "preferredMiddleName": middle} if middle else {}
    kana = {"jp.kanaFamilyName": names.kana_family, "jp.kanaGivenName": names.kana_given,
            "jp.kanaMiddleName": names.kana_middle, "jp.kanaPreferredFamilyName": names.kana_family,
            "jp.kanaPreferredGivenName": names.kana_given}  # fmt: skip
    return {
        "enabledUser": "true", "username": id_, "userMasterIdentifier": id_,
        "userIds": [{"type": "userMasterIdentifier", "identifier": id_}],
        "givenName": given, "familyName": family, "preferredFirstName": given, "preferredLastName": family,
        **middle_names, "roles": roles, "primaryOrg": ref("org", org),
        "metadata": {name: value for name, value in kana.items() if value},
    }  # fmt: skip


def _course(board: Board, school: School, year: int, title: str, subject: str, code: str) -> Json:
    named = {"subjects": [subject], "subjectCodes": [code]} if code else {"subjects": [subject]} if subject else {}
    return {
        "title": title, "courseCode": "", "schoolYear": ref("academicSession", session_id(board, year)),
        "org": ref("org", school.id), **named,
    }  # fmt: skip


def _class(
    board: Board, school: School, one: SchoolClass, id_: str, title: str, grades: list[str], course: str, kind: str,
    subject: tuple[str, str],
) -> Made:  # fmt: skip
    term = session_id(board, one.school_year)
    name, code = subject
    named = {"subjects": [name], "subjectCodes": [code]} if code else {"subjects": [name]} if name else {}
    content = {
        "title": title, "classType": kind, "grades": grades, "course": ref("course", course),
        "school": ref("org", school.id), "terms": [ref("academicSession", term)], **named,
        "metadata": {"jp.specialNeeds": one.kind == "special_needs" and kind == "homeroom"},
    }  # fmt: skip
    refs = frozenset({f"school:{school.id}", f"course:{course}", f"term:{term}"})
    return Made("class", id_, content, refs, one.id)


def _members(school: School, one: SchoolClass, class_id: str, *, homeroom: bool) -> Iterator[Made]:
    for member in one.members:
        yield _enrollment(
            school, one, class_id, member.pupil_id, "student", member.starts_on, member.ends_on, primary=False,
            number=member.number if homeroom else 0, home=member if homeroom else None,
        )  # fmt: skip


def _enrollment(
    school: School, one: SchoolClass, class_id: str, who: str, role: str, starts: str, ends: str, *, primary: bool,
    number: int = 0, home: Member | None = None,
) -> Made:  # fmt: skip
    begins = starts or years.first_day(one.school_year).isoformat()
    content: Json = {
        "role": role, "primary": "true" if primary else "false", "user": ref("user", who),
        "class": ref("class", class_id), "school": ref("org", school.id), "beginDate": begins,
        "endDate": _exclusive(ends, years.last_day(one.school_year).isoformat()),
    }  # fmt: skip
    if number:
        content["metadata"] = {"jp.shussekiNo": number, "jp.publicFlg": True}
    refs = {f"school:{school.id}", f"is:{role}"}
    if home is not None:
        refs |= {"home", f"in:{home.school_grade or one.school_grade}"}
    id_ = out_id(class_id, who, role, begins)
    return Made("enrollment", id_, content, frozenset(refs), one.id, class_id, who)


def placement(content: Mapping[str, Any], refs: Iterable[str]) -> Placement:
    """A homeroom enrolment, read back from its object."""
    school_grade = next((one[3:] for one in refs if one.startswith("in:")), "")
    return Placement(
        content["class"]["sourcedId"],
        content["school"]["sourcedId"],
        school_grade,
        content["beginDate"],
        content["endDate"],
    )


def _grades(one: SchoolClass) -> list[str]:
    """学年 of the class, or those of its pupils where it has none of its own (特別支援学級)."""
    found = {one.school_grade} if one.school_grade else {member.school_grade for member in one.members}
    return sorted(found - {""})


def _exclusive(last_day: str, year_ends: str) -> str:
    """endDate lies outside the period (OneRoster), but the end of the year is written as 31 March (日本版)."""
    return year_ends if not last_day or last_day >= year_ends else _day_after(last_day)


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
