"""クラス替え on the board: cards, moves, wishes, proposals; who comes new, who stays down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Unseen

from roster import policy
from roster.domain.rollover import plan, proposal
from roster.domain.rollover.numbering import MOST_NUMBER
from roster.domain.rollover.plan import Entrant, Move, Pair, PlannedClass, PlannedPupil, Rollover, RolloverProblem
from roster.store import rollover as store
from roster.store import rollover_pupils as children
from roster.usecases.rollovers import Facts, change_of, editable, facts_of, invalid

MOST_MOVES = 200
MOST_ENTRANTS = 400


@dataclass(frozen=True, slots=True)
class Board:
    """The board of one 学年 of the coming year, or the list of graduates."""

    rollover: Rollover
    classes: tuple[PlannedClass, ...]
    pupils: tuple[PlannedPupil, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where children are now; `lost`: not moved, because somebody else was faster."""

    revision: int
    pupils: tuple[PlannedPupil, ...]
    movers: Mapping[UUID, str]
    lost: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class PupilChange:
    """What a planner says about one child."""

    pupil_id: UUID
    version: int
    outcome: str  # empty: as it is
    care: str
    band: int
    number: int


async def _may_form(
    tx: Transaction, actor: Actor, rollover_id: UUID, school_grade: str, *, lock: bool = False
) -> Facts:
    facts = await facts_of(tx, actor, rollover_id, lock=lock)
    policy.may_form_classes(actor, facts.standing, facts.rollover.school_id, facts.led, school_grade).enforce()
    return facts


async def look(tx: Transaction, actor: Actor, rollover_id: UUID, school_grade: str) -> Board:
    """Cards with 配慮 and 段階: class II, so the look is noted."""
    facts = await _may_form(tx, actor, rollover_id, school_grade)
    classes = [each for each in await store.classes(tx, rollover_id) if each.takes(school_grade)]
    pupils = await children.of_school_grade(tx, rollover_id, school_grade)
    here = {each.id for each in pupils}
    pairs = [each for each in await store.pairs(tx, rollover_id) if each.first_id in here]
    tx.audit(
        "rollover_board.read", rollover_id, information_class=2, after={"school_grade": school_grade},
        subject_id=facts.rollover.school_id,
    )  # fmt: skip
    return Board(facts.rollover, tuple(classes), tuple(pupils), tuple(pairs))


async def moves_since(tx: Transaction, actor: Actor, rollover_id: UUID, school_grade: str, revision: int) -> Places:
    """What others did since: places only."""
    facts = await _may_form(tx, actor, rollover_id, school_grade)
    pupils = await children.changed_since(tx, rollover_id, school_grade, revision)
    return await _places(tx, facts.rollover.revision, pupils)


async def _places(
    tx: Transaction, revision: int, pupils: Sequence[PlannedPupil], lost: frozenset[UUID] = frozenset()
) -> Places:
    movers = await store.staff_names(tx, {each.moved_by for each in pupils if each.moved_by})
    return Places(revision, tuple(pupils), movers, lost)


async def move(tx: Transaction, actor: Actor, rollover_id: UUID, school_grade: str, moves: Sequence[Move]) -> Places:
    """Each card is moved if it is still as it was shown; a lost race is told with where the child is."""
    facts = await _may_form(tx, actor, rollover_id, school_grade, lock=True)
    editable(facts.rollover)
    if not moves or len(moves) > MOST_MOVES:
        raise invalid("moves", RolloverProblem(f"一度に動かせるのは{MOST_MOVES}人までです。"))
    open_to = {each.id for each in await store.classes(tx, rollover_id) if each.takes(school_grade)}
    before = await children.some(tx, rollover_id, [each.pupil_id for each in moves])
    if any(each.class_id is not None and each.class_id not in open_to for each in moves):
        raise Conflict("その学級は、ほかの人がなくしました。ボードを開き直してください。", reason="CLASS_GONE")
    if any(each.school_grade != school_grade or each.outcome not in plan.IN_CLASS for each in before):
        raise Conflict("この学年でなくなった児童生徒がいます。ボードを開き直してください。", reason="CHANGED_MEANWHILE")
    if len(before) < len({each.pupil_id for each in moves}):
        raise Conflict("準備から外れた児童生徒がいます。ボードを開き直してください。", reason="CHANGED_MEANWHILE")
    revision = await store.next_revision(tx, rollover_id)
    moved = await children.move(tx, rollover_id, moves, revision)
    was = {each.id: each.class_id for each in before}
    to = {each.pupil_id: each.class_id for each in moves}
    for pupil_id in sorted(moved):
        tx.audit(
            "rollover_pupil.moved", rollover_id, subject_id=pupil_id,
            before={"class_id": was[pupil_id]}, after={"class_id": to[pupil_id]},
        )  # fmt: skip
    now = await children.some(tx, rollover_id, list(to))
    return await _places(tx, revision, now, frozenset(to) - moved)


async def propose(tx: Transaction, actor: Actor, rollover_id: UUID, school_grade: str, carry: bool) -> Places:
    """Give the children without a class one: by this year's class (持ち上がり), or evenly."""
    facts = await _may_form(tx, actor, rollover_id, school_grade, lock=True)
    editable(facts.rollover)
    classes = [
        each for each in await store.classes(tx, rollover_id)
        if each.kind == plan.HOMEROOM and each.school_grade == school_grade
    ]  # fmt: skip
    if not classes:
        raise invalid("school_grade", RolloverProblem("先に、この学年の学級を決めてください。"))
    revision = await store.next_revision(tx, rollover_id)
    pupils = await children.of_school_grade(tx, rollover_id, school_grade)
    placed = (
        _carried(pupils, classes)
        if carry
        else proposal.propose(pupils, [each.id for each in classes], await store.pairs(tx, rollover_id))
    )
    moves = [Move(each.id, placed[each.id], each.version) for each in pupils if each.id in placed]
    if moves:
        await children.move(tx, rollover_id, moves, revision)
    tx.audit(
        "rollover_classes.proposed", rollover_id, subject_id=facts.rollover.school_id,
        after={"school_grade": school_grade, "carry": carry, "pupils": len(moves)},
    )  # fmt: skip
    return await _places(tx, revision, await children.some(tx, rollover_id, [each.pupil_id for each in moves]))


def _carried(pupils: Sequence[PlannedPupil], classes: Sequence[PlannedClass]) -> dict[UUID, UUID]:
    """The coming class is named as this year's, one 学年 up."""
    by_name = {each.name: each.id for each in classes}
    placed = {}
    for pupil in pupils:
        if pupil.class_id is None and pupil.from_class and pupil.outcome == plan.PROMOTED:
            name = plan.class_name(pupil.from_class, pupil.from_school_grade, pupil.school_grade)
            if name in by_name:
                placed[pupil.id] = by_name[name]
    return placed


async def set_pupil(tx: Transaction, actor: Actor, rollover_id: UUID, change: PupilChange) -> PlannedPupil:
    """原級留置, 配慮, 段階 and a number by hand."""
    found = await children.some(tx, rollover_id, [change.pupil_id])
    if not found:
        raise Unseen("この児童生徒は準備にいません。")
    before = found[0]
    facts = await _may_form(tx, actor, rollover_id, before.school_grade, lock=True)
    if change.outcome and change.outcome != before.outcome:
        policy.may_plan_year(actor, facts.standing, facts.rollover.school_id).enforce()
    editable(facts.rollover)
    after = _changed(before, change, facts.school.kind)
    revision = await store.next_revision(tx, rollover_id)
    if not await children.save(tx, rollover_id, after, change.version, revision):
        raise Conflict(
            f"{before.name}は、ほかの人が変更しました。いまの内容を確かめて、もう一度入力してください。",
            {"version": str(before.version)}, reason="CHANGED_MEANWHILE",
        )  # fmt: skip
    tx.audit(
        "rollover_pupil.set", rollover_id, subject_id=before.id,
        before={"outcome": before.outcome, "number": before.number, "care": bool(before.care)},
        after={"outcome": after.outcome, "number": after.number, "care": bool(after.care)}, information_class=2,
    )  # fmt: skip
    return replace(after, version=change.version + 1)


def _changed(before: PlannedPupil, change: PupilChange, school_kind: str) -> PlannedPupil:
    care = change.care.strip()
    if len(care) > plan.MOST_CARE:
        raise invalid("care", RolloverProblem(f"配慮することは{plan.MOST_CARE}字以内で入力してください。"))
    if not 0 <= change.band <= plan.MOST_BAND:
        raise invalid("band", RolloverProblem(f"成績の段階は1から{plan.MOST_BAND}までの数字にしてください。"))
    if not 0 <= change.number <= MOST_NUMBER:
        raise invalid("number", RolloverProblem(f"出席番号は1から{MOST_NUMBER}までの数字にしてください。"))
    after = replace(before, care=care, band=change.band, number=change.number if before.class_id else 0)
    if not change.outcome or change.outcome == before.outcome:
        return after
    try:
        then = plan.outcome_of(change.outcome, school_kind, before.from_school_grade)
    except RolloverProblem as problem:
        raise invalid("outcome", problem) from problem
    return replace(
        after, outcome=then.outcome, school_grade=then.school_grade, class_id=None, number=0, certificate=None
    )


async def set_pair(tx: Transaction, actor: Actor, rollover_id: UUID, pair: Pair) -> Rollover:
    """Two children apart or together, or no longer."""
    both = await children.some(tx, rollover_id, [pair.first_id, pair.second_id])
    if len(both) < 2:
        raise invalid("second_id", RolloverProblem("二人を選んでください。"))
    if both[0].school_grade != both[1].school_grade:
        raise invalid("second_id", RolloverProblem("同じ学年の二人を選んでください。"))
    facts = await _may_form(tx, actor, rollover_id, both[0].school_grade, lock=True)
    editable(facts.rollover)
    revision = await store.next_revision(tx, rollover_id)
    await store.set_pair(tx, rollover_id, pair)
    tx.audit(
        "rollover_pair.set", rollover_id, subject_id=pair.first_id, information_class=2,
        after={"other": pair.second_id, "kind": pair.kind or "none"},
    )  # fmt: skip
    return replace(facts.rollover, revision=revision)


async def add_entrants(
    tx: Transaction, actor: Actor, rollover_id: UUID, entrants: Sequence[Entrant]
) -> tuple[int, int]:
    """新入学: typed children, (how many are new in the plan, how many of them the register knew)."""
    facts, revision = await change_of(tx, actor, rollover_id)
    if not entrants or len(entrants) > MOST_ENTRANTS:
        raise invalid("entrants", RolloverProblem(f"新入学の児童生徒は、一度に1人から{MOST_ENTRANTS}人までです。"))
    already = await children.typed_before(tx, rollover_id, entrants)
    fresh = [each for each in entrants if each.id not in already]
    known = await children.known(tx, fresh) if fresh else {}
    first = plan.school_grades(facts.school.kind)[0].value
    wanted = [replace(each, id=known.get(each.id, each.id)) for each in fresh]
    added = await children.enter(tx, rollover_id, wanted, first, revision) if wanted else 0
    done = {"added": added, "known": len(known)}
    tx.audit("rollover_entrants.added", rollover_id, after=done, subject_id=facts.rollover.school_id)
    return added, len(known)


async def remove_entrant(tx: Transaction, actor: Actor, rollover_id: UUID, pupil_id: UUID) -> Rollover:
    """A typed child does not come after all."""
    facts, revision = await change_of(tx, actor, rollover_id)
    if not await children.remove_entrant(tx, rollover_id, pupil_id):
        raise Unseen("新入学の児童生徒の中に見つかりません。")
    tx.audit("rollover_entrants.removed", rollover_id, subject_id=facts.rollover.school_id)
    return replace(facts.rollover, revision=revision)
