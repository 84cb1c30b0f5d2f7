"""The founder applies for MEXCBT, its schools confirm; what was done at the site is written down with its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from jpschool.school_year import first_day, school_year_of
from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from learning import policy
from learning.domain import mexcbt as rules
from learning.domain.mexcbt import Application, Contact, Done, Founder, Intake, State, Step, Task
from learning.domain.mexcbt_counts import Counts, counted, school_grades_of, why_not
from learning.domain.mexcbt_forms import Sheet, sheets
from learning.domain.mexcbt_input import wrong_contact, wrong_founder, wrong_portal
from learning.domain.register import School
from learning.store import mexcbt as store
from learning.store import register
from learning.usecases import standing as standings


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the actor may see of the MEXCBT application: the whole board, or the schools the person works at."""

    founder: Founder
    intake: Intake
    applications: Sequence[Application]
    schools: Sequence[School]
    tasks: Sequence[Task]
    way_in: str
    of_board: bool
    today: date


async def overview(tx: Transaction, actor: Actor, school_year: int = 0) -> Overview:
    """`school_year` 0 = the running one."""
    today = day_in_jst(tx.now)
    of_board = policy.may_apply_for_mexcbt(actor).allowed
    mine: list[UUID] | None = None
    if not of_board:
        standing = await standings.of_actor(tx, actor)
        mine = sorted({school_id for school_id, _ in standing.posts}, key=str)
    founder = await store.founder(tx)
    found = await store.applications(tx, mine)
    intake = await _intake(tx, school_year or school_year_of(today))
    tasks = rules.tasks(founder, found, intake, today)
    if not of_board:
        tasks = [task for task in tasks if task.application_id is not None]
    schools = await register.schools(tx, mine)
    way_in = rules.way_in(founder, found)
    return Overview(founder, intake, found, schools, tasks, way_in, of_board, today)


async def save_founder(tx: Transaction, actor: Actor, wanted: Founder, notes_read: bool) -> Founder:
    """`wanted.version`: of the founder as it was read. Raises: Refused, Invalid, Conflict."""
    policy.may_apply_for_mexcbt(actor).enforce()
    before = await store.founder(tx)
    wrong = wrong_founder(wanted)
    if wrong:
        raise Invalid("入力を確かめてください。", [Violation(field, message) for field, message in wrong])
    read_on = (before.notes_read_on or day_in_jst(tx.now)) if notes_read else None
    changed = replace(wanted, notes_read_on=read_on, registered_on=before.registered_on, version=wanted.version + 1)
    await _save_founder(tx, before, changed)
    return changed


async def mark_founder_registered(tx: Transaction, actor: Actor, on: date | None, version: int) -> Founder:
    """設置者情報新規登録 was done at the site on that day; None takes it back. Raises: Refused, Invalid, Conflict."""
    policy.may_apply_for_mexcbt(actor).enforce()
    before = await store.founder(tx)
    if on is not None:
        missing = rules.missing_of_founder(before)
        if missing:
            raise Conflict(" ".join(message for _, message in missing), reason="FOUNDER_INCOMPLETE")
        _check_day(on, day_in_jst(tx.now))
    elif any(one.state not in (State.LISTED, State.WITHDRAWN) for one in await store.applications(tx)):
        raise Conflict("利用学校が登録されているため、設置者の登録は取り消せません。", reason="SCHOOLS_REGISTERED")
    changed = replace(before, registered_on=on, version=version + 1)
    await _save_founder(tx, before, changed)
    return changed


async def _save_founder(tx: Transaction, before: Founder, changed: Founder) -> None:
    try:
        saved = await store.save_founder(tx, changed)
    except store.MailTaken:
        message = "このメールアドレスは別の設置者の登録に使われています。1つのアドレスで複数の設置者は登録できません。"
        raise Invalid("入力を確かめてください。", [Violation("mail", message)]) from None
    if not saved:
        raise _faster()
    tx.audit(
        "mexcbt.founder_saved",
        tx.tenant,
        before=before,
        after=changed,
        information_class=4,
        subject_id=board_subject(tx.tenant),
    )


async def set_intake(tx: Transaction, actor: Actor, wanted: Intake) -> Intake:
    """受付期間 of a year, as the ministry told it. Raises: Refused, Invalid, Conflict."""
    policy.may_apply_for_mexcbt(actor).enforce()
    wrong = []
    if wanted.closes_on is not None and wanted.closes_on < wanted.opens_on:
        wrong.append(Violation("closes_on", "終わりの日を、始まりの日より後にしてください。"))
    if not 0 < len(wanted.source) <= 200:
        wrong.append(
            Violation("source", "何で知らされた日付かを200字以内で入力してください（例：令和8年3月2日付け事務連絡）。")
        )
    if wrong:
        raise Invalid("入力を確かめてください。", wrong)
    changed = replace(wanted, version=wanted.version + 1)
    if not await store.save_intake(tx, changed):
        raise _faster()
    tx.audit(
        "mexcbt.intake_set",
        str(wanted.school_year),
        after=changed,
        information_class=4,
        subject_id=board_subject(tx.tenant),
    )
    return changed


@dataclass(frozen=True, slots=True)
class Listing:
    """A school that is to use MEXCBT; without an id the founder's own 試用アカウント."""

    school_id: UUID | None
    portal: str
    contact: Contact


async def list_schools(tx: Transaction, actor: Actor, wanted: Sequence[Listing], school_year: int) -> None:
    """The founder collects the wishes of its schools. All of them or none. Raises: Refused, Invalid, Conflict."""
    policy.may_apply_for_mexcbt(actor).enforce()
    if not wanted:
        raise Invalid("学校を選んでください。", [Violation("schools", "学校を選んでください。")])
    known = {school.id for school in await register.schools(tx)}
    if any(one.school_id is not None and one.school_id not in known for one in wanted):
        raise Unseen("この学校は見つかりません。")
    wrong = [
        Violation(f"schools.{place}.{field}", message)
        for place, one in enumerate(wanted)
        for field, message in (*wrong_portal(one.portal), *wrong_contact(one.contact))
    ]
    if wrong:
        raise Invalid("入力を確かめてください。", wrong)
    today = day_in_jst(tx.now)
    if school_year not in (school_year_of(today), school_year_of(today) + 1):
        raise Invalid("年度を選び直してください。", [Violation("school_year", "今年度か次の年度を選んでください。")])
    added = [
        Application(uuid7(), one.school_id, school_year, one.portal.strip(), one.contact, State.LISTED)
        for one in wanted
    ]
    if await store.add(tx, added) < len(added):
        raise Conflict("すでに申込のある学校が含まれています。画面を読み込み直してください。", reason="LISTED_ALREADY")
    done = [(one.id, _done(tx, actor, Step.LIST, one.state, one.state, today)) for one in added]
    await store.note(tx, done)
    for one in added:
        tx.audit("mexcbt.school_listed", one.id, after=one, information_class=4, subject_id=_about(tx, one))


async def change_school(
    tx: Transaction, actor: Actor, application_id: UUID, portal: str, contact: Contact, version: int
) -> Application:
    """学習eポータル and contact, until the school is at the site. Raises: Refused, Unseen, Invalid, Conflict."""
    policy.may_apply_for_mexcbt(actor).enforce()
    before = await _one(tx, application_id, version)
    if rules.after(before, Step.CHANGE) is None:
        raise Conflict(
            "運用支援サイトに登録した学校の学習eポータルは変えられません。"
            "「登録情報修正」で学校を削除し、新しい学習eポータルで登録し直してください。",
            reason="REGISTERED_ALREADY",
        )
    wrong = [*wrong_portal(portal), *wrong_contact(contact)]
    if wrong:
        raise Invalid("入力を確かめてください。", [Violation(field, message) for field, message in wrong])
    changed = replace(before, portal=portal.strip(), contact=contact)
    return await _keep(tx, actor, before, changed, Step.CHANGE, day_in_jst(tx.now))


async def take_step(
    tx: Transaction, actor: Actor, application_id: UUID, step: Step, on: date, reason: str, version: int
) -> Application:
    """What the founder did at the site, or took back. Raises: Refused, Unseen, Invalid, Conflict."""
    policy.may_apply_for_mexcbt(actor).enforce()
    before = await _one(tx, application_id, version)
    reason = reason.strip()
    if step in rules.NEEDS_REASON and not 0 < len(reason) <= 200:
        raise Invalid("入力を確かめてください。", [Violation("reason", "理由を200字以内で入力してください。")])
    today = day_in_jst(tx.now)
    _check_day(on, today)
    if step is Step.UNDO:
        changed = rules.undone(before, await store.history(tx, application_id))
        if changed is None:
            raise Conflict("取り消せる手続きがありません。", reason="NOTHING_TO_UNDO")
        return await _keep(tx, actor, before, changed, step, on, reason)
    then = rules.after(before, step)
    if step in rules.OF_SCHOOL or then is None:
        raise Conflict("この手続きは今はできません。画面を読み込み直してください。", reason="NOT_NOW")
    if step is Step.REGISTER:
        await _check_registering(tx, before, on)
    return await _keep(tx, actor, before, replace(before, state=then), step, on, reason)


async def _check_registering(tx: Transaction, application: Application, on: date) -> None:
    founder = await store.founder(tx)
    missing = rules.missing_of_founder(founder)
    if missing:
        raise Conflict(
            "先に設置者情報を仕上げてください。" + " ".join(message for _, message in missing),
            reason="FOUNDER_INCOMPLETE",
        )
    if founder.registered_on is None and rules.way_in(founder, await store.applications(tx)) == "新規申込":
        raise Conflict(
            "先に運用支援サイトで設置者情報を新規登録し、その日を記してください。", reason="FOUNDER_NOT_REGISTERED"
        )
    closed = rules.why_closed(await _intake(tx, application.school_year), on)
    if closed:
        raise Conflict(closed, reason="INTAKE_CLOSED")


async def application_of(
    tx: Transaction, actor: Actor, application_id: UUID
) -> tuple[Application, School | None, Founder, list[Done]]:
    """One application with its school and history. Raises: Unseen."""
    one = await _one(tx, application_id)
    await _see(tx, actor, one)
    schools = await register.schools(tx, [one.school_id]) if one.school_id else []
    return one, schools[0] if schools else None, await store.founder(tx), await store.history(tx, application_id)


async def hand_out(tx: Transaction, actor: Actor) -> list[Sheet]:
    """The sheets to type from at the site. Raises: Refused."""
    policy.may_apply_for_mexcbt(actor).enforce()
    schools = {school.id: school for school in await register.schools(tx)}
    made = sheets(await store.founder(tx), await store.applications(tx), schools)
    tx.audit("mexcbt_sheets.read", tx.tenant, information_class=4, subject_id=board_subject(tx.tenant))
    return made


async def _see(tx: Transaction, actor: Actor, one: Application) -> None:
    if one.school_id is None:
        policy.may_apply_for_mexcbt(actor).enforce()
    else:
        policy.may_see_mexcbt_of(actor, one.school_id, await standings.of_actor(tx, actor)).enforce()


async def _one(tx: Transaction, application_id: UUID, version: int | None = None) -> Application:
    found = await store.application(tx, application_id)
    if found is None:
        raise Unseen("この申込は見つかりません。")
    if version is not None and found.version != version:
        raise _faster()
    return found


async def _intake(tx: Transaction, school_year: int) -> Intake:
    return await store.intake(tx, school_year) or Intake(school_year, rules.usual_opening(school_year))


async def _keep(
    tx: Transaction, actor: Actor, before: Application, changed: Application, step: Step, on: date, reason: str = ""
) -> Application:
    kept = replace(changed, version=before.version + 1)
    if not await store.change(tx, kept):
        if kept.open and not before.open:
            raise Conflict("この学校にはもう新しい申込があるため、元に戻せません。", reason="LISTED_ALREADY")
        raise _faster()
    done = _done(tx, actor, step, before.state, kept.state, on, reason)
    await store.note(tx, [(kept.id, replace(done, counts=kept.counts if step in rules.OF_SCHOOL else None))])
    tx.audit(
        f"mexcbt.{step.value}", kept.id, before=before, after=kept, information_class=4, subject_id=_about(tx, kept)
    )
    return kept


def _about(tx: Transaction, one: Application) -> UUID:
    """The school; without one (試用アカウント) the board."""
    return one.school_id or board_subject(tx.tenant)


def _done(tx: Transaction, actor: Actor, step: Step, before: State, then: State, on: date, reason: str = "") -> Done:
    return Done(uuid7(), step, before, then, on, actor.person_id, tx.now, reason)


def _check_day(on: date, today: date) -> None:
    if on > today:
        raise Invalid(
            "入力を確かめてください。", [Violation("on", "これから先の日は記せません。行った日を入力してください。")]
        )


def _faster() -> Conflict:
    return Conflict(
        "ほかの人が先に変えました。画面を読み込み直して、もう一度確かめてください。", reason="CHANGED_MEANWHILE"
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """What the register says today. `choices`: every 学年 with children. `refusal`: why the counts cannot stand."""

    counts: Counts
    choices: tuple[str, ...]
    refusal: str


async def count_accounts(
    tx: Transaction, actor: Actor, application_id: UUID, school_grades: Sequence[str] | None
) -> Preview:
    """Counts for these 学年; None = those told last time, else all. Raises: Unseen."""
    one = await _one(tx, application_id)
    await _see(tx, actor, one)
    return await _preview(tx, one, school_grades)


async def _preview(tx: Transaction, one: Application, school_grades: Sequence[str] | None) -> Preview:
    if one.school_id is None:
        raise Conflict("試用アカウントの申込に、学校情報の登録はありません。", reason="TRIAL")
    today = day_in_jst(tx.now)
    year = school_year_of(today) if one.state in (State.CONFIRMED, State.IN_USE) else one.school_year
    classes = await store.class_counts(tx, one.school_id, year, max(today, first_day(year)))
    choices = school_grades_of(classes)
    if school_grades is None:
        told = one.counts.school_grades if one.counts else ()
        school_grades = [code for code in told if code in choices] or choices
    counts = counted(classes, await store.post_counts(tx, one.school_id, today), school_grades, year, today)
    return Preview(counts, choices, why_not(counts))


@dataclass(frozen=True, slots=True)
class Confirm:
    """学校情報 as the school saw it: the numbers on the page must still be the register's."""

    application_id: UUID
    school_grades: Sequence[str]
    pupils_seen: int
    teachers_seen: int
    contact: Contact
    version: int


async def confirm_school(tx: Transaction, actor: Actor, command: Confirm) -> Application:
    """First 学校情報登録, or again after 進学・進級. Raises: Refused, Unseen, Invalid, Conflict."""
    before = await _one(tx, command.application_id, command.version)
    if before.school_id is None:
        raise Unseen("この申込は見つかりません。")
    policy.may_confirm_mexcbt(actor, before.school_id, await standings.of_actor(tx, actor)).enforce()
    step = Step.CONFIRM if before.state is State.REGISTERED else Step.RECOUNT
    then = rules.after(before, step)
    if then is None:
        raise Conflict("学校情報を登録できるのは、教育委員会が利用学校を登録したあとです。", reason="NOT_NOW")
    wrong = [Violation(field, message) for field, message in wrong_contact(command.contact)]
    preview = await _preview(tx, before, command.school_grades)
    if preview.refusal:
        wrong.append(Violation("school_grades", preview.refusal))
    if wrong:
        raise Invalid("入力を確かめてください。", wrong)
    counts = preview.counts
    if (counts.pupils, counts.teachers) != (command.pupils_seen, command.teachers_seen):
        raise Conflict(
            f"画面を開いたあとで名簿が変わりました。今は児童生徒{counts.pupils}人、教員{counts.teachers}人です。"
            "もう一度確かめてください。",
            reason="COUNTS_CHANGED",
        )
    changed = replace(before, state=then, counts=counts, school_year=counts.school_year, contact=command.contact)
    return await _keep(tx, actor, before, changed, step, counts.taken_on)
