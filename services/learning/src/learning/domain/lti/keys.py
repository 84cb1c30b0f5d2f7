"""The platform's signing keys: published before use, kept as long as a token they signed may live.

1EdTech Security Framework 1.0, 6.3: tools fetch the key set and keep it; a key they have not seen yet signs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

LEAD: Final = timedelta(hours=24)
"""From publishing to the first signature: tools keep a key set for hours."""
LONGEST_TOKEN: Final = timedelta(hours=1)
"""No token of ours lives longer."""
MARGIN: Final = timedelta(minutes=10)
ROTATE_AFTER: Final = timedelta(days=90)
"""A key that signed for so long gets its successor published, whoever asks or not."""


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """The public half, and since when it signs."""

    kid: str
    public: dict[str, Any]
    """JWK without private members."""
    created_at: datetime
    signs_from: datetime


def signing(keys: Sequence[PlatformKey], now: datetime) -> PlatformKey | None:
    """The key that signs now: the newest whose time has come."""
    return max((key for key in keys if key.signs_from <= now), key=lambda key: key.signs_from, default=None)


def published(keys: Sequence[PlatformKey], now: datetime) -> list[PlatformKey]:
    """What the key set shows, newest first: the coming key, the present one, and those whose tokens may still live."""
    ordered = sorted(keys, key=lambda key: key.signs_from, reverse=True)
    return [key for key, newer in zip(ordered, [None, *ordered], strict=False) if not _spent(newer, now)]


def spent(keys: Sequence[PlatformKey], now: datetime) -> list[PlatformKey]:
    """Keys nobody needs any more; their private halves are destroyed."""
    kept = published(keys, now)
    return [key for key in keys if key not in kept]


def _spent(newer: PlatformKey | None, now: datetime) -> bool:
    return newer is not None and newer.signs_from + LONGEST_TOKEN + MARGIN <= now


def due(keys: Sequence[PlatformKey], now: datetime) -> bool:
    """Whether a successor has to be published: there is none, and the newest has signed for ROTATE_AFTER."""
    newest = max(keys, key=lambda key: key.signs_from, default=None)
    return newest is None or newest.signs_from + ROTATE_AFTER - LEAD <= now


def coming(keys: Sequence[PlatformKey], now: datetime) -> PlatformKey | None:
    """The published key that does not sign yet."""
    return next((key for key in keys if key.signs_from > now), None)


def first_use(keys: Sequence[PlatformKey], now: datetime) -> datetime:
    """When a key made now begins to sign: the first of all at once, any other after LEAD."""
    return now + LEAD if keys else now
