"""JSON as it arrives: UTF-8, no name twice in one object, not deeper than anybody means it."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from learning.domain.xapi.wrong import Wrong

_DEEPEST = 100
_NAME = re.compile(rb'"\s*:')


def read_json(raw: bytes, what: str = "$") -> Any:
    """The value. Raises: Wrong for what is no JSON, or uses a property twice (Data 2.2: MUST use each once)."""
    try:
        value = orjson.loads(raw)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise Wrong(f"{what}: this is no JSON in UTF-8 that can be read ({error})") from None
    # A repeated name is lost on the way through the parser, so there are fewer names after it than before.
    # Escapes may hide a name, white space in texts may look like one: then it is looked at slowly.
    if b"\\u" in raw or len(_NAME.findall(raw)) != written.count(b'":'):
        _no_name_twice(raw, what)
    if written.count(b"[") + written.count(b"{") > _DEEPEST:
        _not_too_deep(value, what)
    return value


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


def _not_too_deep(value: Any, what: str) -> None:
    layer = [value] if type(value) in (dict, list) else []
    for _ in range(_DEEPEST):
        layer = [
            inner
            for one in layer
            for inner in (one.values() if type(one) is dict else one)
            if type(inner) is dict or type(inner) is list
        ]
        if not layer:
            return
    raise Wrong(f"{what}: is nested more than {_DEEPEST} deep")
