"""What the board decides about 学期 and 通知表 for a school year: reading, changing, copying last year's, undoing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jpschool.school_year import school_year_of
from servicekit.auth import Actor
from servicekit.db import Transaction, lost_race
from servicekit.errors import Conflict, Invalid, Refused, Violation

from grades import policy
from grades.domain.board_rules import BoardRules, Part, Use
from grades.domain.decisions import (
    Difference,
    Fault,
    TermWish,
    a_year_later,
    differences_of_report_card,
    differences_of_terms,
    faults_of_closed,
    faults_of_dropped,
    faults_of_report_card,
    faults_of_wishes,
    lay_terms,
    may_change_year,
)
from grades.domain.terms import TermDates, TermKey
from grades.store import board, decisions
from grades.store.decisions import Content, Decision, Kind, Topic
from grades.usecases.facts import today


@dataclass(frozen=True, slots=True)
class ReportCardWish:
    """Parts and lengths in the order they were asked in; what is left out stays as it is."""

    uses: tuple[tuple[Part, Use], ...]
    limits: tuple[tuple[tuple[str, bool], int], ...]


Wish = tuple[TermWish, ...] | ReportCardWish


@dataclass(frozen=True, slots=True)
class Decide:
    """What a topic shall be, on top of the version that was on the screen."""

    topic: Topic
    school_year: int
    version: int
    wish: Wish


@dataclass(frozen=True, slots=True)
class Turn:
    """Copying or undoing a topic of a year, on top of the version that was on the screen."""

    topic: Topic
    school_year: int
    version: int


@dataclass(frozen=True, slots=True)
class State:
    """How a topic of a year stands: what the last change did, what copying last year's would do."""

    last: Decision | None
    locked_reason: str
    last_change: Sequence[Difference]
    from_last_year: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Rules:
    """Both topics of a year. `closed`: names of the schools that have closed a term."""

    school_year: int
    terms_state: State
    terms: tuple[TermDates, ...]
    closed: Mapping[TermKey, Sequence[str]]
    report_card_state: State
    report_card: BoardRules


async def get_rules(tx: Transaction, actor: Actor, school_year: int) -> Rules:
    """Both topics of a year. Raises: Refused, Invalid (no such year)."""
    policy.may_read_decisions(actor).enforce()
    _year(school_year)
    terms = await decisions.terms_of(tx, school_year)
    card = await board.rules_of(tx, school_year)
    card_before = await board.rules_of(tx, school_year - 1)
    coming = lay_terms(school_year, a_year_later(await decisions.terms_of(tx, school_year - 1)))
    return Rules(
        school_year,
        await _state(tx, actor, Topic.TERMS, school_year, differences_of_terms(terms, coming)),
        terms,
        await decisions.closed_terms(tx, school_year, hold=False),
        await _state(tx, actor, Topic.REPORT_CARD, school_year, differences_of_report_card(card, card_before)),
        card,
    )


async def decide(tx: Transaction, actor: Actor, command: Decide) -> Rules:
    """Change a topic of a year. Raises: Refused, Invalid (the faults by field), Conflict (somebody was faster)."""
    return await _change(tx, actor, command, Kind.CHANGED)


async def copy_last_year(tx: Transaction, actor: Actor, command: Turn) -> Rules:
    """Make the year's decision last year's; dates move on by a year. Raises: Refused, Invalid, Conflict."""
    _year(command.school_year)
    wish = _wish(await decisions.content(tx, command.topic, command.school_year - 1), later=True)
    return await _change(tx, actor, Decide(command.topic, command.school_year, command.version, wish), Kind.COPIED)


async def undo(tx: Transaction, actor: Actor, command: Turn) -> Rules:
    """Turn the last change back, as a change of its own. Raises: Refused, Invalid, Conflict (also: nothing to undo)."""
    last = await decisions.last(tx, command.topic, command.school_year)
    if last is None:
        raise Conflict("取り消せる変更はありません。", reason="NOTHING_TO_UNDO")
    wish = _wish(last.before, later=False)
    return await _change(tx, actor, Decide(command.topic, command.school_year, command.version, wish), Kind.UNDONE)


def _wish(content: Content, *, later: bool) -> Wish:
    if isinstance(content, BoardRules):
        return ReportCardWish(content.uses, content.limits)
    return a_year_later(content) if later else tuple(TermWish(t.key, t.label, t.ends_on) for t in content)


async def _change(tx: Transaction, actor: Actor, command: Decide, kind: Kind) -> Rules:
    policy.may_decide(actor).enforce()
    _year(command.school_year)
    if locked := may_change_year(command.school_year, school_year_of(today(tx))):
        raise Refused(locked, reason="YEAR_OVER")
    closed = await decisions.closed_terms(tx, command.school_year, hold=command.topic is Topic.TERMS)
    now = await decisions.content(tx, command.topic, command.school_year)
    last = await decisions.last(tx, command.topic, command.school_year)
    if (last.version if last else 0) != command.version:
        raise _overtaken(last)
    wanted, faults = await _checked(tx, command, now, closed)
    if faults:
        told = [Violation(fault.field, fault.message) for fault in faults]
        raise Invalid("決まりを保存できません。内容を確かめてください。", told)
    changes = _differences(now, wanted)
    if changes:
        decided = Decision(command.version + 1, kind, now, wanted, actor.person_id, tx.now)
        if not await decisions.decide(tx, command.topic, command.school_year, decided):
            raise _overtaken(await decisions.last(tx, command.topic, command.school_year))
        tx.audit(
            f"board_{command.topic.value}.{kind.value}",
            f"{command.topic.value}/{command.school_year}",
            before=_audited([(change, change.before) for change in changes]),
            after={"school_year": command.school_year} | _audited([(change, change.after) for change in changes]),
        )
    return await get_rules(tx, actor, command.school_year)


async def _checked(
    tx: Transaction, command: Decide, now: Content, closed: Mapping[TermKey, Sequence[str]]
) -> tuple[Content, Sequence[Fault]]:
    wish = command.wish
    if isinstance(wish, ReportCardWish) and isinstance(now, BoardRules):
        wanted = BoardRules.of(dict(now.uses) | dict(wish.uses), dict(now.limits) | dict(wish.limits))
        return wanted, faults_of_report_card(wish.uses, wish.limits)
    if isinstance(wish, ReportCardWish) or isinstance(now, BoardRules):
        raise TypeError("the wish is of another topic")
    if faults := faults_of_wishes(command.school_year, wish):
        return now, faults
    laid = lay_terms(command.school_year, wish)
    dropped = [term.key for term in now if term.key not in {one.key for one in laid}]
    entered = await decisions.entered_terms(tx, command.school_year, dropped) if dropped else frozenset()
    return laid, [*faults_of_dropped(now, laid, closed, entered), *faults_of_closed(now, laid, closed)]


def _differences(before: Content, after: Content) -> Sequence[Difference]:
    if isinstance(before, BoardRules) and isinstance(after, BoardRules):
        return differences_of_report_card(before, after)
    if isinstance(before, BoardRules) or isinstance(after, BoardRules):
        raise TypeError("two topics do not compare")
    return differences_of_terms(before, after)


async def _state(
    tx: Transaction, actor: Actor, topic: Topic, school_year: int, from_last_year: Sequence[Difference]
) -> State:
    last = await decisions.last(tx, topic, school_year)
    may = policy.may_decide(actor)
    locked = may_change_year(school_year, school_year_of(today(tx))) or ("" if may.allowed else may.message)
    return State(last, locked, _differences(last.before, last.after) if last else (), from_last_year)


def _overtaken(last: Decision | None) -> Conflict:
    if last is None:
        return Conflict("この年度の決まりはまだありません。読み込み直してください。")
    return lost_race(last.version, last.decided_at, last.decided_by)


def _audited(sides: Sequence[tuple[Difference, str]]) -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    for change, side in sides:
        if side:
            told.setdefault(change.subject, {})[change.what] = side
    return told


def _year(school_year: int) -> None:
    if not 2000 <= school_year <= 2100:
        raise Invalid("年度が正しくありません。", [Violation("school_year", "西暦4桁の年度です（例：2026）。")])
