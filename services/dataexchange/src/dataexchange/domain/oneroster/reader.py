"""The rows of a checked package in the register's words, in the order they depend on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import compress
from typing import IO
from uuid import NAMESPACE_URL, UUID, uuid5

from jpschool.school_grade import SchoolGrade

from dataexchange.domain.oneroster.cells import are_uuid4
from dataexchange.domain.oneroster.check import Checked
from dataexchange.domain.oneroster.facts import Facts, RoleFact
from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.meanings import PERSON_KIND_BY_ROLE, POST_BY_ROLES
from dataexchange.domain.oneroster.package import Package, open_package
from dataexchange.domain.oneroster.rows import (
    AppointmentRow,
    ClassRow,
    DutyRow,
    MemberRow,
    OrgRow,
    PersonRow,
    RosterRow,
)
from dataexchange.domain.oneroster.table import Block, TableReader


def rows_of(stream: IO[bytes], size: int, checked: Checked) -> Iterator[RosterRow]:
    """Every row the register takes: organisations, classes, people, appointments, members, duties.

    Only for a package whose check was clean. Guardians and files the register does not use are left out. A lesson whose
    pupils all belong to one homeroom is that class being taught a subject: it becomes the teacher's duty there
    (教科担任) and no class of its own.
    """
    package = open_package(stream, size, Findings())
    if package is None or not checked.findings.clean:
        raise ValueError("only a checked package can be read")
    facts = checked.facts
    whole_class = whole_class_lessons(facts)
    yield from _orgs(facts)
    yield from _classes(facts, whole_class)
    yield from _people(package, checked)
    yield from _appointments(facts)
    yield from _placements(package, checked, whole_class)


def whole_class_lessons(facts: Facts) -> dict[str, str]:
    """講座 → homeroom, for those whose pupils all have the same homeroom class."""
    home = {user: places[-1][0] for user, places in facts.homerooms_of.items()} | facts.home_class_of
    found = {}
    for course, pupils in facts.course_pupils.items():
        homes = {home.get(pupil, "") for pupil in pupils}
        if len(homes) == 1 and facts.classes[course].subject:
            found[course] = homes.pop()
    return {course: homeroom for course, homeroom in found.items() if homeroom}


def _orgs(facts: Facts) -> Iterator[OrgRow]:
    for source_id, org in facts.orgs.items():
        if org.type in ("district", "school"):
            yield OrgRow(source_id, org.name, org.code, org.type == "district")


def _classes(facts: Facts, whole_class: Mapping[str, str]) -> Iterator[ClassRow]:
    for source_id, one in facts.classes.items():
        if source_id in whole_class:
            continue
        kind = "course" if one.type == "scheduled" else "special_needs" if one.special_needs else "homeroom"
        yield ClassRow(
            source_id,
            one.school,
            facts.sessions[one.session].school_year,
            first_school_grade(one.school_grades),
            one.title,
            kind,
            one.subject,
        )


def first_school_grade(grades: str) -> str:
    """学年 of a list as written; a class of several 学年 (複式学級) goes by the lowest. Blank = none."""
    parts = [part.strip() for part in grades.split(",") if part.strip()]
    known = [part for part in parts if part in _ORDERED]
    return min(known, key=_ORDERED.index) if known else ""


_ORDERED = [str(one) for one in SchoolGrade]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _people(package: Package, checked: Checked) -> Iterator[PersonRow]:
    facts, at = checked.facts, checked.places["users"]
    primary_role = facts.primary_role
    master, given, middle, family = (
        at["userMasterIdentifier"],
        at["preferredGivenName"],
        at["preferredMiddleName"],
        at["preferredFamilyName"],
    )
    plain_names = at["familyName"], at["givenName"], at["middleName"]
    kana_given, kana_middle, kana_family = (
        at["metadata.jp.kanaGivenName"],
        at["metadata.jp.kanaMiddleName"],
        at["metadata.jp.kanaFamilyName"],
    )
    grades, org, home = at["grades"], at["primaryOrgSourcedId"], at["metadata.jp.homeClass"]
    # The kana of the preferred name, where the version has such columns and they are filled, else that of the name.
    preferred = tuple(at[f"metadata.jp.kanaPreferred{part}Name"] for part in ("Family", "Given", "Middle"))
    for block in _blocks(package, checked, "users"):
        columns = block.columns
        kinds = [PERSON_KIND_BY_ROLE.get(primary_role[user], "staff") for user in columns[0]]
        kana = [columns[place] for place in (kana_family, kana_given, kana_middle)]
        names = [columns[place] for place in (family, given, middle)]
        if "" in block.distinct(family) or "" in block.distinct(given):
            names = _where_filled(names, [columns[place] for place in plain_names])
        kana = _where_filled([columns[place] for place in preferred], kana)
        lowest = {written: first_school_grade(written) for written in block.distinct(grades)}
        people = map(
            PersonRow,
            columns[0],
            _person_ids(columns[0], columns[master], block.distinct(master)),
            kinds,
            *names,
            *kana,
            columns[org],
            [lowest[written] for written in columns[grades]],
            columns[home],
        )
        yield from compress(people, [kind != "guardian" for kind in kinds])


def _where_filled(preferred: Sequence[Sequence[str]], plain: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Family, given and middle names: the preferred ones of each person who has both of the first two."""
    filled = [bool(family and given) for family, given in zip(*preferred[:2], strict=True)]
    return [
        [new if has else old for has, new, old in zip(filled, first, second, strict=True)]
        for first, second in zip(preferred, plain, strict=True)
    ]


def _person_ids(sources: Sequence[str], masters: Sequence[str], distinct: frozenset[str]) -> Sequence[str]:
    if are_uuid4(distinct):
        return masters
    return [person_id(source, master) for source, master in zip(sources, masters, strict=True)]


def person_id(source_id: str, master: str) -> str:
    """The 利用者識別子 of a person: one that was issued elsewhere is kept, whatever its version; else ours, a v4.

    Ours is the same for the same sourcedId in every file, so that the next one finds the person again.
    """
    for given in (master, source_id):
        if _UUID.fullmatch(given.lower()):
            return given.lower()
    return str(UUID(bytes=uuid5(NAMESPACE_URL, f"https://komu.example/oneroster/user/{source_id}").bytes, version=4))


def _appointments(facts: Facts) -> Iterator[AppointmentRow]:
    """One post per person and organisation; what is told by two roles (teacher + principal) is one post."""
    opens = min((session.starts_on for session in facts.sessions.values()), default="")
    for user, held in facts.roles_of_staff.items():
        for org in dict.fromkeys(fact.org for fact in held):
            here = [fact for fact in held if fact.org == org]
            primary = next((fact for fact in here if fact.role_type == "primary"), None)
            secondary = next((fact for fact in here if fact.role_type == "secondary"), None)
            main = primary or secondary
            if main is None:
                continue
            yield AppointmentRow(
                user, org, _post(primary, secondary), main.begins_on or opens, last_day(main.ends_before, "")
            )


def _post(primary: RoleFact | None, secondary: RoleFact | None) -> str:
    first = primary.role if primary else "teacher"  # a secondary role elsewhere, e.g. 兼務
    second = secondary.role if secondary else ""
    return POST_BY_ROLES.get((first, second)) or POST_BY_ROLES.get((first, "")) or "teacher"


def _placements(package: Package, checked: Checked, whole_class: Mapping[str, str]) -> Iterator[MemberRow | DutyRow]:
    facts, at = checked.facts, checked.places["enrollments"]
    used = ("classSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate", "metadata.jp.shussekiNo")
    classes, sessions = facts.classes, facts.sessions
    for block in _blocks(package, checked, "enrollments"):
        for class_id, user, role, primary, begins, ends, number in zip(
            *(block.columns[at[name]] for name in used), strict=True
        ):
            its_class = classes[class_id]
            session = sessions[its_class.session]
            starts_on = begins or session.starts_on
            ends_on = last_day(ends, session.ends_on)
            if ends_on < starts_on:
                continue  # begins and ends the same day: it never was
            if role == "student":
                if class_id not in whole_class:
                    yield MemberRow(class_id, user, int(number or 0), starts_on, ends_on)
            elif role == "teacher":
                if its_class.type == "scheduled":
                    kind = "subject"
                else:
                    kind = "homeroom" if primary == "true" else "assistant_homeroom"
                its_id = whole_class.get(class_id, class_id)
                yield DutyRow(user, its_id, kind, its_class.subject, starts_on, ends_on)


def last_day(end_date: str, session_ends_on: str) -> str:
    """The last day inside, from an exclusive endDate (OneRoster). Blank or at the year's end: the session's last day.

    31 March itself is read as the end of the year, since packages in Japan write it for whole-year places.
    """
    if not end_date or (session_ends_on and end_date >= session_ends_on):
        return session_ends_on
    return (date.fromisoformat(end_date) - timedelta(days=1)).isoformat()


def _blocks(package: Package, checked: Checked, name: str) -> Iterator[Block]:
    if name in checked.kept:
        yield from checked.kept[name]
        return
    reader = TableReader(f"{name}.csv", package.blocks(name), Findings())
    reader.header()
    yield from (checked.widened(name, block) for block in reader.blocks())
