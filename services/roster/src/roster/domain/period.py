"""Periods of days, both ends inclusive, as the register writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `starts_on` to `ends_on`, both inclusive. `ends_on` None = open; the day before the first = no day."""

    starts_on: date
    ends_on: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)

    def overlaps(self, other: Period) -> bool:
        """Whether the two share at least one day."""
        begins = max(self.starts_on, other.starts_on)
        return all(one.ends_on is None or begins <= one.ends_on for one in (self, other))

    def ended(self, last_day: date) -> Period:
        """The same, ending on `last_day` at the latest."""
        return Period(self.starts_on, last_day if self.ends_on is None else min(self.ends_on, last_day))


def day_before(day: date) -> date:
    """The day before."""
    return day - timedelta(days=1)


def japanese_date(day: date) -> str:
    """「2026年11月21日」 in the sentences people read."""
    return f"{day.year}年{day.month}月{day.day}日"
