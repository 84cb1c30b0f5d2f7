"""The JSON answer of an object, prepared when it changes: what is served is joined, never built."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from servicekit.json import dumps, dumps_text

ACTIVE = "active"
TO_BE_DELETED = "tobedeleted"


def instant(at: datetime) -> str:
    """`2026-04-01T00:00:00.000Z`: UTC with milliseconds, as the standard writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_milliseconds(at: datetime) -> datetime:
    """The instant as it can be read back from an answer: a filter by it finds the object again."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def digest(content: Mapping[str, Any]) -> bytes:
    """Whether an object says something new; when and in which state it stands is not part of it."""
    return hashlib.sha256(dumps(content)).digest()[:16]


def body(id_: str, status: str, at: datetime, content: Mapping[str, Any]) -> str:
    """The object as it is served."""
    return dumps_text({"sourcedId": id_, "status": status, "dateLastModified": instant(at), **content})


def content_of(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Back from an object to what is its own."""
    return {name: value for name, value in doc.items() if name not in ("sourcedId", "status", "dateLastModified")}
