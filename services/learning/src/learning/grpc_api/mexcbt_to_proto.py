"""MEXCBT利用申込 as the contract has it."""

from __future__ import annotations

from datetime import date

from komu.learning.v1 import mexcbt_pb2 as pb

from learning.domain import mexcbt as rules
from learning.domain.mexcbt import Application, Done, Founder, FounderKind, Intake
from learning.domain.mexcbt_counts import Counts
from learning.domain.register import School
from learning.grpc_api.translate import instant
from learning.usecases.mexcbt import Overview

KINDS = {
    FounderKind.PUBLIC: pb.MEXCBT_FOUNDER_KIND_PUBLIC,
    FounderKind.NATIONAL: pb.MEXCBT_FOUNDER_KIND_NATIONAL,
    FounderKind.PRIVATE: pb.MEXCBT_FOUNDER_KIND_PRIVATE,
}


def overview(found: Overview) -> pb.GetMexcbtReply:
    """Everything the caller may see."""
    schools = {school.id: school for school in found.schools}
    return pb.GetMexcbtReply(
        founder=founder(found.founder),
        intake=intake(found.intake),
        applications=[
            application(one, schools.get(one.school_id) if one.school_id else None, found.founder)
            for one in found.applications
        ],
        tasks=[
            pb.MexcbtTask(
                side=task.side.value,
                what=task.what,
                menu=task.menu,
                application_id=str(task.application_id) if task.application_id else "",
            )
            for task in found.tasks
        ],
        schools=[pb.MexcbtSchool(id=str(school.id), code=school.code, name=school.name) for school in found.schools],
        way_in=found.way_in,
        of_board=found.of_board,
        missing=[message for _, message in rules.missing_of_founder(found.founder)],
        why_closed=rules.why_closed(found.intake, found.today),
    )


def founder(value: Founder) -> pb.MexcbtFounder:
    """設置者情報."""
    return pb.MexcbtFounder(
        kind=KINDS[value.kind],
        name=value.name,
        code=value.code,
        department=value.department,
        contact=_contact(value.contact),
        wants_authoring=value.wants_authoring,
        applied_before=value.applied_before,
        notes_read_on=_iso(value.notes_read_on),
        registered_on=_iso(value.registered_on),
        version=value.version,
    )


def intake(value: Intake) -> pb.MexcbtIntake:
    """受付 of a year."""
    return pb.MexcbtIntake(
        school_year=value.school_year,
        opens_on=_iso(value.opens_on),
        closes_on=_iso(value.closes_on),
        source=value.source,
        version=value.version,
    )


def application(value: Application, school: School | None = None, of: Founder | None = None) -> pb.MexcbtApplication:
    """An application; `school` and `of` (the founder) give its name."""
    code, name = (school.code, school.name) if school else ("", "")
    if value.trial and of is not None:
        code, name = rules.trial_entry(of)
    possible = rules.possible(value)
    return pb.MexcbtApplication(
        id=str(value.id),
        school_id=str(value.school_id) if value.school_id else "",
        school_name=name,
        school_code=code,
        school_year=value.school_year,
        portal=value.portal,
        contact=_contact(value.contact),
        state=value.state.value,
        counts=counts(value.counts) if value.counts else None,
        version=value.version,
        steps=[step.value for step in possible if step not in rules.OF_SCHOOL],
        may_confirm=any(step in rules.OF_SCHOOL for step in possible),
    )


def counts(value: Counts) -> pb.MexcbtCounts:
    """Counts with their rows."""
    return pb.MexcbtCounts(
        school_year=value.school_year,
        taken_on=value.taken_on.isoformat(),
        school_grades=value.school_grades,
        classes=[
            pb.MexcbtClassCount(
                class_id=str(row.class_id),
                class_name=row.class_name,
                school_grade=row.school_grade,
                pupils=row.pupils,
            )
            for row in value.classes
        ],
        posts=[pb.MexcbtPostCount(post=row.post.value, people=row.people) for row in value.posts],
        pupils=value.pupils,
        teachers=value.teachers,
    )


def done(value: Done) -> pb.MexcbtDone:
    """A line of the history."""
    return pb.MexcbtDone(
        step=value.step.value,
        after=value.after.value,
        on=value.on_day.isoformat(),
        by=str(value.by),
        at=instant(value.at),
        reason=value.reason,
        counts=counts(value.counts) if value.counts else None,
    )


def _contact(value: rules.Contact) -> pb.MexcbtContact:
    return pb.MexcbtContact(name=value.name, mail=value.mail, phone=value.phone)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
