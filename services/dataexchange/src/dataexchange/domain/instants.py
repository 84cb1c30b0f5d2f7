"""Instants in signed documents: UTC, whole seconds, `2026-11-21T00:00:00Z`."""

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """The one spelling used in every signed document. Raises: ValueError for a naive instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    """Raises: ValueError, for any other spelling than that of `to_text`."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None or to_text(instant) != text:
        raise ValueError(f"not a canonical instant: {text}")
    return instant


def from_epoch(seconds: int) -> datetime:
    """Raises: ValueError outside the years 2000–2200, which no honest signature has."""
    if not 946_684_800 <= seconds < 7_258_118_400:
        raise ValueError("epoch seconds out of range")
    return datetime.fromtimestamp(seconds, tz=UTC)
