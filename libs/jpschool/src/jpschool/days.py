"""Days as they are written in requests and files: `2026-11-21`, and no day a school record cannot be about."""

from datetime import date

EARLIEST = date(1900, 1, 1)
LATEST = date(2199, 12, 31)


def read_day(text: str) -> date:
    """The day `text` says as YYYY-MM-DD, in ASCII digits, from 1900 to 2199.

    Every day it returns has a day before and after it, a school year and a 和暦.
    Raises: ValueError, also for the other spellings of ISO 8601 (20261121, 2026-W47-6).
    """
    day = date.fromisoformat(text)
    if day.isoformat() != text or not EARLIEST <= day <= LATEST:
        raise ValueError(f"{text!r} is no day between {EARLIEST} and {LATEST}")
    return day


def read_month(text: str) -> date:
    """The first day of the month `text` says as YYYY-MM. Raises: ValueError."""
    return read_day(f"{text}-01")
