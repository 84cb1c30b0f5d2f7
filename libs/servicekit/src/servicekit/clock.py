"""What time it is: one place to ask, one place to stop the clock in tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")


def now() -> datetime:
    """The instant, in UTC."""
    return datetime.now(UTC)


def today_jst() -> date:
    """The calendar day in Japan."""
    return datetime.now(JST).date()


def day_in_jst(instant: datetime) -> date:
    """The calendar day in Japan at `instant` (an aware datetime)."""
    return instant.astimezone(JST).date()


Clock = Callable[[], datetime]
"""Anything that answers with an aware instant in UTC; `now` is the real one."""


@dataclass
class FixedClock:
    """A clock that stands still until told otherwise; for tests."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 1, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        self.at += by
        return self.at
