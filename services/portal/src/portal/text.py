"""How values read to people: Jinja filters."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
_WEEKDAYS = "月火水木金土日"


def day(value: str | date | None) -> str:
    """`2026-11-21` → `2026年11月21日（土）`; empty stays empty."""
    if not value:
        return ""
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{on.year}年{on.month}月{on.day}日（{_WEEKDAYS[on.weekday()]}）"


def short_day(value: str | date | None) -> str:
    """`2026-11-21` → `11/21（土）`."""
    if not value:
        return ""
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{on.month}/{on.day}（{_WEEKDAYS[on.weekday()]}）"


def moment(value: Any) -> str:
    """An instant (datetime or protobuf Timestamp, UTC) → `2026年11月21日 10:42`, Japanese time."""
    if value is None or value == "":
        return ""
    at: datetime = value if isinstance(value, datetime) else value.ToDatetime(tzinfo=UTC)
    at = at.astimezone(TOKYO)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"


def thousands(value: int) -> str:
    """`12345` → `12,345`."""
    return f"{value:,}"


def full_name(name: Any) -> str:
    """A `komu.common.v1.Name` as one line: family, middle, given."""
    return "\u3000".join(part for part in (name.family, name.middle, name.given) if part)


_GRADES = {"P": "小", "J": "中"}


def school_grade(value: str) -> str:
    """`P3` → `小3`."""
    return f"{_GRADES.get(value[:1], value[:1])}{value[1:]}" if value else ""


FILTERS: dict[str, Callable[..., str]] = {
    "day": day,
    "short_day": short_day,
    "moment": moment,
    "thousands": thousands,
    "full_name": full_name,
    "school_grade": school_grade,
}
