"""Between the contract's messages and our values. Bad bytes become Invalid with the field that is wrong."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from servicekit.errors import Invalid, Violation


def uuid_of(text: str, field: str) -> UUID:
    """A UUID out of a request. Raises: Invalid."""
    try:
        return UUID(text)
    except ValueError:
        wrong = Violation(field, f"「{text[:60]}」は UUID ではありません。")
        raise Invalid("識別子の形が正しくありません。", [wrong]) from None


def instant(at: datetime) -> Timestamp:
    """An instant as the contract has it."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def day_of(text: str, field: str) -> date:
    """A date out of a request. Raises: Invalid."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        wrong = Violation(field, "日付を入力してください。")
        raise Invalid("入力を確かめてください。", [wrong]) from None


def day_or_none(text: str, field: str) -> date | None:
    """A date that may be left out. Raises: Invalid."""
    return day_of(text, field) if text else None
