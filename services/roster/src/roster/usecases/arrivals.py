"""転入学: is the arriving child known here, and its entry on the roll."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from jpschool.kana import search_key
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from roster import policy
from roster.domain import enrolment as rules
from roster.domain.enrolment import Enrolment, EnrolmentEvent, EnrolmentProblem
from roster.domain.names import DatedName, Name, NameSets, search_text, sort_key
from roster.domain.people import Address, FormerEnrolment, Guardian, Pupil
from roster.domain.period import Period
from roster.store import arrivals, enrolments, pupils, schools
from roster.usecases import telling
from roster.usecases.views import standing_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """A child on our books who may be the one arriving."""

    pupil: Pupil
    exact_id: bool
    same_kana: bool
    same_birth: bool
    same_display_name: bool
    enrolled_elsewhere: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """A child with its identifiers and history, accepted from another board."""

    transfer_id: UUID
    pupil_id: UUID
    school_id: UUID
    school_grade: str
    accepted_on: date
    former_school_name: str
    former_school_address: str
    reason: str
    names: tuple[DatedName, ...]
    addresses: tuple[Address, ...]
    guardians: tuple[Guardian, ...]
    sex: str
    birth_on: date | None
    history: tuple[FormerEnrolment, ...]
    protected_address: bool


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A child as it comes into the register; `since`: from when its 保護者 are known to us."""

    pupil_id: UUID
    names: tuple[DatedName, ...]
    addresses: tuple[Address, ...]
    guardians: tuple[Guardian, ...]
    sex: str
    birth_on: date | None
    protected_address: bool
    since: date


async def match_pupil(
    tx: Transaction, actor: Actor, pupil_id: UUID | None, names: NameSets, birth_on: date | None
) -> list[Candidate]:
    """Candidates for a child arriving: by UUID, else by name, kana and birth date. The office decides."""
    standing = await standing_of(tx, actor)
    scope = policy.scope(actor, standing)
    policy.may_match_arrivals(actor, standing).enforce()
    kana, display = _folded(names.kana), _folded(names.display)
    found = []
    for pupil in await pupils.candidates(tx, pupil_id, kana, display, birth_on, day_in_jst(tx.now)):
        candidate = Candidate(
            pupil,
            pupil.id == pupil_id,
            bool(kana) and kana == _folded(pupil.names.kana),
            birth_on is not None and birth_on == pupil.birth_on,
            bool(display) and display == _folded(pupil.names.display),
            pupil.enrolled and pupil.school_id is not None and not scope.covers(pupil.school_id),
        )
        # A child of the same UUID is told of wherever it is; a namesake only when the birth date does not contradict.
        if candidate.exact_id or candidate.same_birth or (pupil.birth_on is None or birth_on is None):
            found.append(candidate)
    return found


def _folded(name: Name) -> str:
    return search_key(name.family + name.given + name.middle)


async def admit_transferred_pupil(tx: Transaction, actor: Actor, arrival: Arrival) -> Enrolment:
    """Enter the child on the roll from the day of acceptance.

    The same transfer twice is once; two rolls on one day are refused.
    """
    policy.may_keep_register(actor, await standing_of(tx, actor), arrival.school_id, "転入学").enforce()
    admitted = await enrolments.by_transfer(tx, arrival.transfer_id)
    if admitted is not None:
        rolls = (await enrolments.of_pupils(tx, [admitted])).get(admitted, [])
        return next(roll for roll in rolls if any(event.transfer_id == arrival.transfer_id for event in roll.events))
    school = next(iter(await schools.schools(tx, [arrival.school_id])), None)
    if school is None:
        raise Unseen("学校が見つかりません。")
    if (school.kind == "elementary") != arrival.school_grade.startswith("P"):
        message = f"{school.name}にその学年はありません。"
        raise Invalid(message, [Violation("school_grade", message)])
    await enter_person(
        tx,
        Newcomer(
            arrival.pupil_id, arrival.names, arrival.addresses, arrival.guardians, arrival.sex, arrival.birth_on,
            arrival.protected_address, arrival.accepted_on,
        ),
    )  # fmt: skip
    rolls = (await enrolments.of_pupils(tx, [arrival.pupil_id], lock=True)).get(arrival.pupil_id, [])
    held = await schools.schools(tx, {roll.school_id for roll in rolls}, closed=True)
    names = {item.id: item.name for item in held}
    try:
        rules.may_begin(rolls, arrival.accepted_on, names)
    except EnrolmentProblem as problem:
        raise Conflict(str(problem), reason="OVERLAP") from problem
    roll_id = uuid7()
    entry = EnrolmentEvent(
        uuid7(), roll_id, arrival.pupil_id, "transferred_in", arrival.school_id, arrival.accepted_on, None,
        arrival.school_grade, arrival.former_school_name, arrival.former_school_address, arrival.reason, tx.now,
        actor.person_id, transfer_id=arrival.transfer_id,
    )  # fmt: skip
    roll = Enrolment(
        roll_id, arrival.pupil_id, arrival.school_id, Period(arrival.accepted_on), rules.ACTIVE, "transferred_in", "",
        arrival.school_grade, 1, (entry,),
    )  # fmt: skip
    await enrolments.save(tx, roll, by=actor.person_id, transfer_id=arrival.transfer_id)
    # Of a child that comes back, our own rolls are the record of its time here.
    ours = {item.code for item in held}
    elsewhere = [former for former in arrival.history if former.school_code not in ours]
    await enrolments.keep_former(tx, arrival.pupil_id, arrival.transfer_id, elsewhere)
    tx.audit(
        "enrolment.transferred_in", roll.id, subject_id=arrival.pupil_id,
        after={"school_id": str(arrival.school_id), "starts_on": arrival.accepted_on,
               "transfer_id": str(arrival.transfer_id)},
    )  # fmt: skip
    await telling.enrolments_changed(tx, {roll.id})
    return roll


async def enter_person(tx: Transaction, arrival: Newcomer) -> None:
    """Enter a child with its names, addresses and 保護者. Raises: Invalid without 氏名 or ふりがな."""
    current = {kind: _latest(arrival.names, kind) for kind in ("official", "display", "kana", "alias")}
    display, kana = current["display"], current["kana"]
    if display is None or kana is None:
        message = "氏名とふりがなのない記録は受け入れられません。"
        raise Invalid(message, [Violation("names", message)])
    official, alias = current["official"], current["alias"]
    await pupils.enter_person(
        tx,
        {
            "tenant_id": tx.tenant, "id": arrival.pupil_id, "kind": "pupil",
            **pupils.name_columns("display", display.name), **pupils.name_columns("kana", kana.name),
            **pupils.name_columns("official", official.name if official else None),
            **pupils.name_columns("alias", alias.name if alias else None),
            "named_on": display.period.starts_on, "official_on": official.period.starts_on if official else None,
            "alias_on": alias.period.starts_on if alias else None, "sex": arrival.sex, "birth_on": arrival.birth_on,
            "protected_address": arrival.protected_address, "sort_key": sort_key(kana.name, display.name),
            "search_text": search_text(item.name for item in arrival.names),
        },
    )  # fmt: skip
    past = [item for item in arrival.names if item.period.ends_on is not None and item is not current[item.kind]]
    await arrivals.keep_names(tx, arrival.pupil_id, past)
    await arrivals.keep_addresses(tx, arrival.pupil_id, arrival.addresses)
    await arrivals.keep_guardians(tx, arrival.pupil_id, arrival.guardians, arrival.since)


def _latest(names: tuple[DatedName, ...], kind: str) -> DatedName | None:
    of_kind = [item for item in names if item.kind == kind and item.name]
    return max(of_kind, key=lambda item: (item.period.ends_on is None, item.period.starts_on), default=None)
