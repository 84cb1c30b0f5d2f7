"""What can be said about one child on one day. Categories are national, the symbols are each board's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Effect(StrEnum):
    """How a mark enters the national arithmetic (notice 30文科初第1845号, 出欠の記録)."""

    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excused"


class Category(StrEnum):
    """National categories of a day. 遅刻 and 早退 are no category: they change no day."""

    PRESENT = "present"
    ABSENT_ILLNESS = "absent_illness"  # 病欠
    ABSENT_OTHER = "absent_other"  # 事故欠
    BEREAVEMENT = "bereavement"  # 忌引
    SUSPENDED_INFECTION = "suspended_infection"  # 学校保健安全法 19条
    SUSPENDED_CONDUCT = "suspended_conduct"  # 学校教育法 35条
    EXCUSED_DISASTER = "excused_disaster"  # 非常変災等
    EXCUSED_PRINCIPAL = "excused_principal"  # その他校長が認めた日
    OFFICIAL_LEAVE = "official_leave"  # 公欠: present after a notice
    PRESENT_ELSEWHERE = "present_elsewhere"  # 出席扱い

    @property
    def effect(self) -> Effect:
        """出席, 欠席 or 出席停止・忌引等."""
        return _EFFECTS[self]


_EFFECTS = {
    Category.PRESENT: Effect.PRESENT,
    Category.ABSENT_ILLNESS: Effect.ABSENT,
    Category.ABSENT_OTHER: Effect.ABSENT,
    Category.BEREAVEMENT: Effect.EXCUSED,
    Category.SUSPENDED_INFECTION: Effect.EXCUSED,
    Category.SUSPENDED_CONDUCT: Effect.EXCUSED,
    Category.EXCUSED_DISASTER: Effect.EXCUSED,
    Category.EXCUSED_PRINCIPAL: Effect.EXCUSED,
    Category.OFFICIAL_LEAVE: Effect.PRESENT,
    Category.PRESENT_ELSEWHERE: Effect.PRESENT,
}


@dataclass(frozen=True, slots=True)
class Symbol:
    """出欠記号: one sign of a board over a national category. `shortcut` is the one key that sets it.

    `retired`: no longer offered; a day that has it keeps it.
    """

    key: str
    sign: str
    label: str
    category: Category
    shortcut: str
    late: bool = False
    early: bool = False
    retired: bool = False


DEFAULT_SYMBOLS: tuple[Symbol, ...] = (
    Symbol("ill", "病", "病欠", Category.ABSENT_ILLNESS, "b"),
    Symbol("other", "事", "事故欠", Category.ABSENT_OTHER, "j"),
    Symbol("late", "チ", "遅刻", Category.PRESENT, "c", late=True),
    Symbol("early", "早", "早退", Category.PRESENT, "s", early=True),
    Symbol("late_early", "チ早", "遅刻・早退", Category.PRESENT, "w", late=True, early=True),
    Symbol("bereavement", "忌", "忌引", Category.BEREAVEMENT, "k"),
    Symbol("suspended", "停", "出席停止（感染症）", Category.SUSPENDED_INFECTION, "t"),
    Symbol("suspended_conduct", "懲", "出席停止（性行不良）", Category.SUSPENDED_CONDUCT, "g"),
    Symbol("disaster", "災", "非常変災等", Category.EXCUSED_DISASTER, "h"),
    Symbol("principal", "認", "校長が認めた日", Category.EXCUSED_PRINCIPAL, "m"),
    Symbol("official", "公", "公欠", Category.OFFICIAL_LEAVE, "o"),
    Symbol("elsewhere", "外", "出席扱い（校外・ICT）", Category.PRESENT_ELSEWHERE, "e"),
)
"""What a board starts with; it may change signs and keys per school year, never the categories."""

DEFAULT_REASONS: tuple[str, ...] = (
    "感冒", "発熱", "腹痛", "頭痛", "けが", "通院", "家事都合", "インフルエンザ", "感染性胃腸炎",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """One child on one day. `symbol` "" = present without remark."""

    pupil_id: UUID
    symbol: str = ""
    reason: str = ""
    version: int = 0

    @property
    def says_nothing(self) -> bool:
        """Present, without a remark: the state nobody has to type."""
        return not self.symbol and not self.reason


@dataclass(frozen=True, slots=True)
class MarkChange:
    """A correction keeps what was there: before, after, and why."""

    pupil_id: UUID
    before: Mark
    after: Mark


@dataclass(eq=False)
class UnknownSymbol(Exception):
    """The symbol is not one of this board's for the year."""

    pupil_id: UUID
    symbol: str


@dataclass(eq=False)
class RetiredSymbol(Exception):
    """The board no longer offers the symbol, and the child did not have it before."""

    pupil_id: UUID
    symbol: Symbol


@dataclass(eq=False)
class NotInClass(Exception):
    """The child is not a member of the class on that day."""

    pupil_id: UUID
    on: date


def changes_of_day(
    members: Sequence[UUID],
    now: Mapping[UUID, Mark],
    exceptions: Sequence[Mark],
    symbols: Mapping[str, Symbol],
    on: date,
) -> list[MarkChange]:
    """What saving these exceptions changes: everybody not named is present (出席簿 of the day).

    Raises: UnknownSymbol, RetiredSymbol, NotInClass.
    """
    wanted = {mark.pupil_id: mark for mark in exceptions}
    for mark in exceptions:
        if mark.pupil_id not in set(members):
            raise NotInClass(mark.pupil_id, on)
        if mark.symbol and mark.symbol not in symbols:
            raise UnknownSymbol(mark.pupil_id, mark.symbol)
        if mark.symbol and symbols[mark.symbol].retired and _before(now, mark.pupil_id) != mark.symbol:
            raise RetiredSymbol(mark.pupil_id, symbols[mark.symbol])
    changes = []
    for pupil_id in members:
        before = now.get(pupil_id, Mark(pupil_id))
        after = wanted.get(pupil_id, Mark(pupil_id))
        if (before.symbol, before.reason) != (after.symbol, after.reason):
            changes.append(MarkChange(pupil_id, before, after))
    return changes


def _before(now: Mapping[UUID, Mark], pupil_id: UUID) -> str:
    mark = now.get(pupil_id)
    return mark.symbol if mark else ""
