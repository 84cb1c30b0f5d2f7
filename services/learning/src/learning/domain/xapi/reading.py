"""JSON as it arrives: UTF-8, no name twice in one object. Deeper than 254 nobody means it, nor does the parser."""

from __future__ import annotations

import json
from typing import Any

import orjson

from learning.domain.xapi.wrong import Wrong

_NAME = b'":'
_DOUBTFUL = {
    b"\\": (b"\\u0022", b"\\u003a", b"\\u003A"), b" ": (b" :",), b"\t": (b"\t:",), b"\n": (b"\n:",), b"\r": (b"\r:",),
}  # fmt: skip
"""By the character without which they cannot be there: one character is found many times faster than two."""


def read_json(raw: bytes, what: str = "$") -> Any:
    """The value. Raises: Wrong for what is no JSON, or uses a property twice (Data 2.2: MUST use each once)."""
    try:
        value = orjson.loads(raw)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise Wrong(f"{what}: this is no JSON in UTF-8 that can be read ({error})") from None
    # A repeated name is lost on the way through the parser, so there are fewer names after it than before.
    # An escaped quote or colon, or white space before a colon, spoils the count: then it is looked at slowly.
    # What is written as it came has lost nothing; it is how most tools write JSON.
    if raw != written and (raw.count(_NAME) != written.count(_NAME) or _doubtful(raw)):
        _no_name_twice(raw, what)
    return value


def _doubtful(raw: bytes) -> bool:
    return any(sign in raw for mark, signs in _DOUBTFUL.items() if mark in raw for sign in signs)


def _no_name_twice(raw: bytes, what: str) -> None:
    def pairs(found: list[tuple[str, Any]]) -> None:
        names = set()
        for name, _ in found:
            if name in names:
                raise Wrong(f"{what}: the property {name[:60]!r} is there twice")
            names.add(name)

    try:
        json.loads(raw, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        raise Wrong(f"{what}: this is no JSON that can be read") from None
