"""Values to JSON, the same way for audit entries, jobs and hashes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

_OPTIONS = orjson.OPT_NON_STR_KEYS


def _default(value: Any) -> Any:
    if isinstance(value, Message):
        return MessageToDict(value, preserving_proto_field_name=True)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "_mapping"):
        return dict(value._mapping)
    return str(value)


def dumps(value: Any) -> bytes:
    """JSON of dataclasses, mappings, UUIDs, dates, enums, protobuf messages; anything else by `str`."""
    return orjson.dumps(value, default=_default, option=_OPTIONS)


def dumps_text(value: Any) -> str:
    """`dumps`, as text."""
    return dumps(value).decode()


def to_json(value: Any) -> Any:
    """`value` as plain JSON types; None stays None."""
    if value is None:
        return None
    return orjson.loads(dumps(value))
