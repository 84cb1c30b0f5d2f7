"""What the board decides about 出欠 for a school year: reading it, changing it, copying last year's, undoing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction, lost_race
from servicekit.errors import Conflict, Invalid, Refused, Violation

from attendance import policy
from attendance.domain.calendar import school_year_of
from attendance.domain.decisions import (
    Difference,
    Fault,
    differences_of_reasons,
    differences_of_symbols,
    faults_of_reasons,
    faults_of_symbols,
    may_change_year,
    tidy_reasons,
    tidy_symbols,
)
from attendance.domain.marks import Symbol
from attendance.store import decisions, marks
from attendance.store.decisions import Content, Decision, Kind, Topic


@dataclass(frozen=True, slots=True)
class State:
    """One topic of a year as it stands, with what the last change did and what copying last year's would do."""

    content: Content
    last: Decision | None
    locked_reason: str
    last_change: Sequence[Difference]
    from_last_year: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class BoardDecisions:
    """Both topics of a year."""

    school_year: int
    symbols: State
    reasons: State
    used: frozenset[str]


@dataclass(frozen=True, slots=True)
class Decide:
    """The whole content of a topic as it shall be, on top of the version that was on the screen."""

    topic: Topic
    school_year: int
    version: int
    content: Content


@dataclass(frozen=True, slots=True)
class Turn:
    """Copying or undoing a topic of a year, on top of the version that was on the screen."""

    topic: Topic
    school_year: int
    version: int


async def get_decisions(tx: Transaction, actor: Actor, school_year: int) -> BoardDecisions:
    """Both topics of a year. Raises: Refused, Invalid (no such year)."""
    policy.may_read_decisions(actor).enforce()
    _year(school_year)
    symbols = await _state(tx, actor, Topic.SYMBOLS, school_year)
    reasons = await _state(tx, actor, Topic.REASONS, school_year)
    return BoardDecisions(school_year, symbols, reasons, await _in_use(tx, school_year, symbols.content))


async def decide(tx: Transaction, actor: Actor, command: Decide) -> BoardDecisions:
    """Change a topic of a year. Raises: Refused, Invalid (the faults by field), Conflict (somebody was faster)."""
    return await _change(tx, actor, command, Kind.CHANGED)


async def copy_last_year(tx: Transaction, actor: Actor, command: Turn) -> BoardDecisions:
    """Make the year's decision last year's. Raises: Refused, Invalid, Conflict."""
    _year(command.school_year)
    wanted = await decisions.content(tx, command.topic, command.school_year - 1)
    return await _change(
        tx, actor, Decide(command.topic, command.school_year, command.version, wanted), Kind.COPIED
    )


async def undo(tx: Transaction, actor: Actor, command: Turn) -> BoardDecisions:
    """Turn the last change back, as a change of its own. Raises: Refused, Invalid, Conflict (also: nothing to undo)."""
    last = await decisions.last(tx, command.topic, command.school_year)
    if last is None:
        raise Conflict("取り消せる変更はありません。", reason="NOTHING_TO_UNDO")
    return await _change(
        tx, actor, Decide(command.topic, command.school_year, command.version, last.before), Kind.UNDONE
    )


async def _change(tx: Transaction, actor: Actor, command: Decide, kind: Kind) -> BoardDecisions:
    policy.may_decide(actor).enforce()
    _year(command.school_year)
    if locked := may_change_year(command.school_year, school_year_of(day_in_jst(tx.now))):
        raise Refused(locked, reason="YEAR_OVER")
    if command.topic is Topic.SYMBOLS:
        await marks.hold_symbols(tx, for_change=True)
    now = await decisions.content(tx, command.topic, command.school_year)
    last = await decisions.last(tx, command.topic, command.school_year)
    if (last.version if last else 0) != command.version:
        raise _overtaken(last)
    wanted, faults = await _checked(tx, command, now)
    if faults:
        told = [Violation(fault.field, fault.message) for fault in faults]
        raise Invalid("決まりを保存できません。内容を確かめてください。", told)
    changes = differences(command.topic, now, wanted)
    if changes:
        decided = Decision(command.version + 1, kind, now, wanted, actor.person_id, tx.now)
        if not await decisions.decide(tx, command.topic, command.school_year, decided):
            raise _overtaken(await decisions.last(tx, command.topic, command.school_year))
        tx.audit(
            f"board_{command.topic.value}.{kind.value}",
            f"{command.topic.value}/{command.school_year}",
            subject_id=board_subject(tx.tenant),
            before=_audited([(change, change.before) for change in changes]),
            after={"school_year": command.school_year} | _audited([(change, change.after) for change in changes]),
        )
    return await get_decisions(tx, actor, command.school_year)


async def _checked(tx: Transaction, command: Decide, now: Content) -> tuple[Content, list[Fault]]:
    if command.topic is Topic.REASONS:
        reasons = tidy_reasons(cast("Sequence[str]", command.content))
        return reasons, faults_of_reasons(reasons)
    before = cast("Sequence[Symbol]", now)
    symbols = tidy_symbols(cast("Sequence[Symbol]", command.content), before)
    return symbols, faults_of_symbols(symbols, before, await _in_use(tx, command.school_year, now))


async def _in_use(tx: Transaction, school_year: int, symbols: Content) -> frozenset[str]:
    return await marks.symbols_in_use(tx, school_year, [one.key for one in symbols if isinstance(one, Symbol)])


def _overtaken(last: Decision | None) -> Conflict:
    if last is None:
        return Conflict("この年度の決まりはまだありません。読み込み直してください。")
    return lost_race(last.version, last.decided_at, last.decided_by)


async def _state(tx: Transaction, actor: Actor, topic: Topic, school_year: int) -> State:
    now = await decisions.content(tx, topic, school_year)
    last = await decisions.last(tx, topic, school_year)
    may = policy.may_decide(actor)
    locked = may_change_year(school_year, school_year_of(day_in_jst(tx.now))) or ("" if may.allowed else may.message)
    return State(
        now,
        last,
        locked,
        differences(topic, last.before, last.after) if last else (),
        differences(topic, now, await decisions.content(tx, topic, school_year - 1)),
    )


def differences(topic: Topic, before: Content, after: Content) -> list[Difference]:
    """What changes from one content of a topic to another, in words."""
    if topic is Topic.REASONS:
        return differences_of_reasons(cast("Sequence[str]", before), cast("Sequence[str]", after))
    return differences_of_symbols(cast("Sequence[Symbol]", before), cast("Sequence[Symbol]", after))


def _audited(sides: Sequence[tuple[Difference, str]]) -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    for change, side in sides:
        if side:
            told.setdefault(change.subject, {})[change.what] = side
    return told


def _year(school_year: int) -> None:
    if not 2000 <= school_year <= 2100:
        raise Invalid("年度が正しくありません。", [Violation("school_year", "西暦4桁の年度です（例：2026）。")])
