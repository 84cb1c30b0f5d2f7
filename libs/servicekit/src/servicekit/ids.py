"""Identifiers that sort by the time they were made."""

from __future__ import annotations

from uuid import UUID

import uuid_utils


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562): unique, and ordered by milliseconds."""
    return UUID(int=uuid_utils.uuid7().int)
