"""Family of a pupil: looked at by the child's school, changed by those who keep its register."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TypeVar
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Invalid, Unseen, Violation

from roster import policy
from roster.domain import family as rules
from roster.domain.family import Contact, Family, FamilyGuardian, FamilyProblem
from roster.domain.people import Address
from roster.domain.standing import Standing
from roster.policy import PupilFacts
from roster.store import family, pupils, records
from roster.usecases.views import standing_of

_WHAT = "家族・連絡先・住所"
_T = TypeVar("_T", bound=FamilyGuardian | Contact)


async def get_family(tx: Transaction, actor: Actor, pupil_id: UUID) -> Family:
    """Everything about the family; where a protected child lives only for those who keep its register."""
    facts, standing = await _facts(tx, actor, pupil_id)
    policy.may_see_pupil(actor, standing, facts.school_ids).enforce()
    on = day_in_jst(tx.now)
    known = await family.sibling_ids(tx, pupil_id)
    people = {one.id: one for one in await pupils.by_ids(tx, [pupil_id, *known], on, official=True)}
    scope = policy.scope(actor, standing)
    siblings = [
        people[one]
        for one in known
        if scope.whole_board or ((there := people[one].school_id) is not None and scope.covers(there))
    ]
    at = [one for one in [people[pupil_id].school_id] if one is not None]
    found = Family(
        people[pupil_id], tuple(await family.guardians(tx, pupil_id)), tuple(await family.contacts(tx, pupil_id)),
        tuple(reversed((await records.addresses(tx, [pupil_id])).get(pupil_id, []))), tuple(siblings),
        tuple(await family.struck(tx, pupil_id)),
        may_change=any(policy.may_keep_register(actor, standing, one, _WHAT).allowed for one in at),
    )  # fmt: skip
    # A school the child left does not learn where it lives now.
    seen = not facts.protected_address or policy.sees_protected_address(standing, at)
    return found if seen else found.veiled()


async def change_guardian(
    tx: Transaction, actor: Actor, pupil_id: UUID, guardian: FamilyGuardian, reason: str
) -> Family:
    """保護者 from a day on; rank moves the others."""
    await _may_change(tx, actor, pupil_id)
    on = _not_later(tx, guardian.period.starts_on, "on")
    current = _of_today(await family.guardians(tx, pupil_id))
    known = next((one for one in current if one.id == guardian.id), None)
    if known is not None and guardian.names.official is None:
        guardian = replace(guardian, names=replace(guardian.names, official=known.names.official))
    change = _ruled(current, guardian, on)
    await family.save_guardians(tx, pupil_id, change)
    await family.keep_struck(tx, pupil_id, "guardian", [one.words for one in change.struck], actor.person_id, reason)
    tx.audit("guardian.changed", guardian.id, subject_id=pupil_id, after={"rank": guardian.rank, "starts_on": on})
    return await get_family(tx, actor, pupil_id)


async def end_guardian(tx: Transaction, actor: Actor, pupil_id: UUID, guardian_id: UUID, last_on: date) -> Family:
    """A 保護者 until a day; somebody must remain (様式1 asks for one)."""
    await _may_change(tx, actor, pupil_id)
    current = _of_today(await family.guardians(tx, pupil_id))
    if len(current) == 1:
        raise _invalid("保護者が一人もいなくなります。先に、次の保護者を登録してください。", "last_on")
    change = _ended(current, guardian_id, _not_later(tx, last_on, "last_on"))
    await family.save_guardians(tx, pupil_id, change)
    tx.audit("guardian.ended", guardian_id, subject_id=pupil_id, after={"ends_on": last_on})
    return await get_family(tx, actor, pupil_id)


async def change_contact(tx: Transaction, actor: Actor, pupil_id: UUID, contact: Contact, reason: str) -> Family:
    """A number to call from a day on."""
    await _may_change(tx, actor, pupil_id)
    on = _not_later(tx, contact.period.starts_on, "on")
    change = _ruled(_of_today(await family.contacts(tx, pupil_id)), contact, on)
    await family.save_contacts(tx, pupil_id, change)
    await family.keep_struck(tx, pupil_id, "contact", [one.words for one in change.struck], actor.person_id, reason)
    tx.audit("contact.changed", contact.id, subject_id=pupil_id, after={"rank": contact.rank, "starts_on": on})
    return await get_family(tx, actor, pupil_id)


async def end_contact(tx: Transaction, actor: Actor, pupil_id: UUID, contact_id: UUID, last_on: date) -> Family:
    """A number that is called no more."""
    await _may_change(tx, actor, pupil_id)
    current = _of_today(await family.contacts(tx, pupil_id))
    await family.save_contacts(tx, pupil_id, _ended(current, contact_id, _not_later(tx, last_on, "last_on")))
    tx.audit("contact.ended", contact_id, subject_id=pupil_id, after={"ends_on": last_on})
    return await get_family(tx, actor, pupil_id)


async def change_address(tx: Transaction, actor: Actor, pupil_id: UUID, new: Address, reason: str) -> Family:
    """現住所 from a day on."""
    await _may_change(tx, actor, pupil_id)
    _not_later(tx, new.period.starts_on, "on")
    known = (await records.addresses(tx, [pupil_id])).get(pupil_id, [])
    current = next((one for one in reversed(known) if one.period.ends_on is None), None)
    try:
        ended, wrong = rules.move(current, new)
    except FamilyProblem as problem:
        raise _invalid(str(problem), problem.field) from problem
    if any(one.period.starts_on == new.period.starts_on for one in known if one is not current):
        raise _invalid("その日から始まる住所が、すでに履歴にあります。", "on")
    await family.save_address(tx, pupil_id, ended, wrong, new)
    words = [f"{wrong.postal_code}　{wrong.text}".strip("　")] if wrong else []
    await family.keep_struck(tx, pupil_id, "address", words, actor.person_id, reason)
    tx.audit("address.changed", pupil_id, subject_id=pupil_id, after={"starts_on": new.period.starts_on})
    return await get_family(tx, actor, pupil_id)


async def set_protection(tx: Transaction, actor: Actor, pupil_id: UUID, protected: bool, reason: str) -> Family:
    """支援措置 (住民基本台帳事務処理要領 第5-10): the address is told to those who keep the register only."""
    await _may_change(tx, actor, pupil_id)
    if not reason:
        raise _invalid("理由を入力してください。例：教育委員会からの連絡（文書番号）。", "protection_reason")
    await family.protect(tx, pupil_id, protected)
    tx.audit("address.protection_set", pupil_id, subject_id=pupil_id, after={"protected": protected, "reason": reason})
    return await get_family(tx, actor, pupil_id)


async def link_sibling(tx: Transaction, actor: Actor, pupil_id: UUID, sibling_id: UUID, apart: bool) -> Family:
    """Siblings, or no siblings after all. Both must be children whose pages the actor may open."""
    await _may_change(tx, actor, pupil_id)
    if pupil_id == sibling_id:
        raise _invalid("本人のほかの児童生徒を選んでください。", "sibling")
    other, standing = await _facts(tx, actor, sibling_id)
    policy.may_see_pupil(actor, standing, other.school_ids).enforce()
    if apart:
        await family.leave_household(tx, sibling_id)
    else:
        await family.join_households(tx, pupil_id, sibling_id)
    tx.audit("siblings.parted" if apart else "siblings.linked", sibling_id, subject_id=pupil_id)
    return await get_family(tx, actor, pupil_id)


async def _facts(tx: Transaction, actor: Actor, pupil_id: UUID) -> tuple[PupilFacts, Standing]:
    facts = (await pupils.facts(tx, [pupil_id], day_in_jst(tx.now))).get(pupil_id)
    if facts is None:
        raise Unseen("児童生徒が見つかりません。")
    return facts, await standing_of(tx, actor)


async def _may_change(tx: Transaction, actor: Actor, pupil_id: UUID) -> None:
    """Those who keep the register of the child's school; a former school changes nothing. Locks the child."""
    await family.lock(tx, pupil_id)
    facts, standing = await _facts(tx, actor, pupil_id)
    policy.may_see_pupil(actor, standing, facts.school_ids).enforce()
    pupil = (await pupils.by_ids(tx, [pupil_id], day_in_jst(tx.now), official=False))[0]
    if pupil.school_id is None:
        raise Unseen("児童生徒が見つかりません。")
    policy.may_keep_register(actor, standing, pupil.school_id, _WHAT).enforce()


def _of_today(entries: list[_T]) -> list[_T]:
    return [one for one in entries if one.period.ends_on is None]


def _ruled(current: list[_T], changed: _T, on: date) -> rules.Arrangement[_T]:
    try:
        rules.complete(changed)
        return rules.arrange(current, changed, on)
    except FamilyProblem as problem:
        raise _invalid(str(problem), problem.field) from problem


def _ended(current: list[_T], entry_id: UUID, last_on: date) -> rules.Arrangement[_T]:
    try:
        return rules.end(current, entry_id, last_on)
    except FamilyProblem as problem:
        raise _invalid(str(problem), problem.field) from problem


def _not_later(tx: Transaction, day: date, field: str) -> date:
    """An entry that begins later would have to be remembered by somebody until then: it is entered on its day."""
    if day > day_in_jst(tx.now):
        raise _invalid("今日までの日付にしてください。先の変更は、その日に入力します。", field)
    return day


def _invalid(message: str, field: str) -> Invalid:
    return Invalid(message, [Violation(field, message)])
