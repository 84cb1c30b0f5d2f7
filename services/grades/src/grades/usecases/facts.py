"""The facts every use case begins with."""

from datetime import date
from uuid import UUID

from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Invalid, Unseen, Violation

from grades.domain.board_rules import BoardRules
from grades.domain.class_plan import ClassPlan, class_sheet
from grades.domain.standing import SchoolClass, Standing
from grades.domain.terms import JST, Term, TermKey
from grades.store import register


def today(tx: Transaction) -> date:
    """The day in Japan: rights follow the register of that day."""
    return tx.now.astimezone(JST).date()


async def standing(tx: Transaction, actor: Actor) -> Standing:
    return await register.standing_of(tx, actor.person_id, today(tx))


def reference_day(term: Term, day: date) -> date:
    """The day whose members a term counts: today, or its nearest end before or after its time."""
    return min(max(day, term.dates.starts_on), term.dates.ends_on)


def term_key(text: str) -> TermKey:
    """Raises: Invalid."""
    try:
        return TermKey(text)
    except ValueError:
        raise Invalid("学期の指定が正しくありません。", [Violation("term", "1・2・3・yearのどれかです。")]) from None


def plan_of(school_class: SchoolClass, subject: str, term: TermKey, rules: BoardRules) -> ClassPlan:
    """Raises: Unseen, where that 学年 has no such sheet in that term."""
    plan = class_sheet(school_class.school_grades, subject, term, rules)
    if plan is None:
        raise Unseen(f"{school_class.name}のこの学期に、その教科・欄はありません。")
    return plan


async def require_school(tx: Transaction, school_id: UUID) -> None:
    """Raises: Unseen, where this board has no such school."""
    if not await register.school_exists(tx, school_id):
        raise Unseen("この学校は見つかりません。")
