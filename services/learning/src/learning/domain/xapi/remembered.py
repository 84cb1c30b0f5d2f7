"""What was found right once is not looked at again: tools send the same definitions and contexts over and over."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import orjson

V = TypeVar("V")
_MOST = 8192
_LONGEST = 2000


class Remembered(Generic[V]):
    """By the JSON itself, byte for byte; so much as fits, then anew."""

    def __init__(self) -> None:
        self._known: dict[bytes, V] = {}

    def get(self, value: Any) -> tuple[bytes, V | None]:
        """The key of `value` for `put`, and what is known of it. Its order of names counts, so nothing is mistaken."""
        raw = orjson.dumps(value)
        return raw, self._known.get(raw)

    def put(self, raw: bytes, found: V) -> None:
        """What is long is not kept."""
        if len(raw) > _LONGEST:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[raw] = found
