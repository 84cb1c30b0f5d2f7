"""When the database asks for another try."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

_AGAIN = ("40P01", "40001", "55P03")  # deadlock, serialization, lock not available


def is_busy(error: Exception) -> bool:
    """Whether nothing is wrong with what was asked: it was rolled back for another's sake, or the line was cut."""
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) in _AGAIN or error.connection_invalidated
