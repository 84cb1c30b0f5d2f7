"""学期: dates, and when a term is closed for entries."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from jpschool.school_year import first_day, last_day

JST = ZoneInfo("Asia/Tokyo")


class TermKey(StrEnum):
    """学期 of 通知表, and 学年末 for 指導要録."""

    FIRST = "1"
    SECOND = "2"
    THIRD = "3"
    YEAR = "year"


class TermState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TermDates:
    """A 学期 as the board set it (学校教育法施行令 29条1項: the founder decides 学期). Both days inclusive."""

    key: TermKey
    label: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Term:
    """A 学期 of one school: the board's dates and the school's state. `version` counts closings and reopenings."""

    dates: TermDates
    state: TermState = TermState.OPEN
    version: int = 0
    changed_by: UUID | None = None
    changed_at: datetime | None = None

    @property
    def key(self) -> TermKey:
        return self.dates.key

    @property
    def closed(self) -> bool:
        return self.state is TermState.CLOSED

    @property
    def reopened(self) -> bool:
        """Open now, but closed before: what is written from here on is a correction."""
        return self.state is TermState.OPEN and self.version > 0

    def why_locked(self) -> str:
        """Why nothing can be entered, since when and who can change that; empty when open."""
        if not self.closed or self.changed_at is None:
            return ""
        return f"{self.changed_at.astimezone(JST):%Y-%m-%d}に校長が締めました。再開できるのは校長です。"


@dataclass(frozen=True, slots=True)
class TermChange:
    """One closing or reopening, as the history of a term tells it."""

    at: datetime
    actor_id: UUID
    state: TermState
    reason: str


def default_terms(school_year: int) -> tuple[TermDates, ...]:
    """The commonest division into three 学期, until the board enters its own; and 学年末 over the whole year."""
    return (
        TermDates(TermKey.FIRST, "1学期", first_day(school_year), date(school_year, 8, 31)),
        TermDates(TermKey.SECOND, "2学期", date(school_year, 9, 1), date(school_year, 12, 31)),
        TermDates(TermKey.THIRD, "3学期", date(school_year + 1, 1, 1), last_day(school_year)),
        TermDates(TermKey.YEAR, "学年末（指導要録）", first_day(school_year), last_day(school_year)),
    )


@dataclass(frozen=True, slots=True)
class ClosingRefused:
    """Why a term cannot be closed or reopened now. `field` names the input that would help; empty = none would."""

    message: str
    field: str = ""


def why_not_close(term: Term, *, missing: int, accept_missing: bool, reason: str) -> ClosingRefused | None:
    """None when the term may be closed. Empty cells need a yes and a reason, which stays on record."""
    if term.closed:
        return ClosingRefused(f"{term.dates.label}はすでに締められています。")
    if missing and not accept_missing:
        message = f"未入力が{missing}件あります。入力するか、未入力のまま締める理由を書いてください。"
        return ClosingRefused(message, "accept_missing")
    if missing and not reason.strip():
        return ClosingRefused("未入力のまま締める理由を書いてください。", "reason")
    return None


def why_not_reopen(term: Term, *, reason: str) -> ClosingRefused | None:
    """None when the term may be reopened. A reason is always asked for."""
    if not term.closed:
        return ClosingRefused(f"{term.dates.label}は締められていません。")
    if not reason.strip():
        return ClosingRefused("再開する理由を書いてください。", "reason")
    return None
