"""The hash of one entry: SHA-256 over the previous hash and the canonical JSON (RFC 8785) of the row. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import rfc8785

GENESIS = bytes(32)
"""What stands before the first entry of a tenant."""

COLUMNS = (
    "tenant_id", "id", "at", "actor_id", "session_id", "action", "object_id", "subject_id", "information_class",
    "before", "after", "trace_id",
)
_LARGEST_EXACT = 2**53 - 1


def _plain(value: Any) -> Any:
    """JSON that RFC 8785 can write: integers beyond 2^53 become text, as JavaScript could not read them exactly."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_EXACT:
        return str(value)
    return value


def canonical(row: Mapping[str, Any]) -> bytes:
    """The bytes of one audit row that are sealed. `row` has the columns of `COLUMNS`."""
    document = {
        "tenant": row["tenant_id"],
        "id": str(row["id"]),
        "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": str(row["actor_id"]) if row["actor_id"] else None,
        "session": row["session_id"],
        "action": row["action"],
        "object": row["object_id"],
        "subject": str(row["subject_id"]) if row["subject_id"] else None,
        "class": row["information_class"],
        "before": _plain(row["before"]),
        "after": _plain(row["after"]),
        "trace": row["trace_id"],
    }
    return rfc8785.dumps(document)


def link(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """The hash that seals `row` behind `previous`."""
    return hashlib.sha256(previous + canonical(row)).digest()
