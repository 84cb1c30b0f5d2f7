"""What partners write, read tolerantly and kept in the form of the standard.

Seen in the wild and taken: references as plain ids or without href and type, booleans and numbers where the standard
has strings (and the other way round), days where it has instants, a missing status. Unknown members are left out.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from dataexchange.domain.rest.answers import Declined, Minor
from dataexchange.domain.rest.schemas import ENTITIES, GUID_PATTERN, Schema
from dataexchange.domain.roster_objects.bodies import instant
from dataexchange.domain.roster_objects.making import ref

MAX_BYTES = 1024 * 1024
MOST_AT_ONCE = 1000
_MOST_TEXT = 16_384
_GUID = re.compile(GUID_PATTERN.removesuffix("$") + r"\Z", re.ASCII)
_OWN = ("sourcedId", "status", "dateLastModified")


def a_guid(text: object, name: str = "sourcedId") -> str:
    """Raises: Declined."""
    if not isinstance(text, str) or not _GUID.match(text):
        raise Declined(Minor.INVALID_DATA, f"{name} is an id of at most 255 characters out of 0-9 a-z A-Z . - _ / @")
    return text


def content(kind: str, given: object) -> dict[str, Any]:
    """An object without what the store adds. Raises: Declined, naming the member that is wrong."""
    if not isinstance(given, Mapping):
        raise Declined(Minor.INVALID_DATA, f"{kind} is an object")
    schema = ENTITIES[kind]
    required = [name for name in schema["required"] if name not in _OWN]
    return _object({**schema, "required": required}, {k: v for k, v in given.items() if k not in _OWN}, kind)


def _value(schema: Schema, given: Any, at: str) -> Any:
    match schema["type"]:
        case "object":
            return _object(schema, given, at)
        case "array":
            if not isinstance(given, list) or len(given) > MOST_AT_ONCE:
                raise _wrong(at, f"a list of at most {MOST_AT_ONCE}")
            return [_value(schema["items"], one, f"{at}[]") for one in given]
        case "number":
            return _number(given, at)
        case _:
            return _text(schema, given, at)


def _object(schema: Schema, given: Any, at: str) -> dict[str, Any]:
    properties = schema.get("properties")
    if properties and "href" in properties:
        return _ref(properties, given, at)
    if not isinstance(given, Mapping):
        raise _wrong(at, "an object")
    if properties is None:  # metadata: the partner's own words
        return dict(_storable(given, at))
    found = {
        name: _value(properties[name], value, f"{at}.{name}")
        for name, value in given.items()
        if name in properties and value is not None
    }
    for name in schema.get("required", ()):
        if name not in found:
            raise Declined(Minor.INVALID_DATA, f"{at}.{name} is missing")
    return found


def _ref(properties: Mapping[str, Schema], given: Any, at: str) -> dict[str, Any]:
    id_ = a_guid(given.get("sourcedId") if isinstance(given, Mapping) else given, f"{at}.sourcedId")
    return ref(properties["type"]["enum"][0], id_)


def _number(given: Any, at: str) -> float | int:
    if isinstance(given, str) and re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", given, re.ASCII):
        given = float(given) if "." in given else int(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given) or abs(given) > 1e15:
        raise _wrong(at, "a number")
    return given


def _text(schema: Schema, given: Any, at: str) -> str:
    if isinstance(given, bool):
        given = "true" if given else "false"
    elif isinstance(given, int | float):
        given = str(given)
    if not isinstance(given, str) or len(given) > _MOST_TEXT or "\x00" in given:
        raise _wrong(at, f"a text of at most {_MOST_TEXT} characters")
    if "enum" in schema:
        if given not in schema["enum"]:
            raise _wrong(at, f"one of {', '.join(schema['enum'])}")
    elif "pattern" in schema and not re.fullmatch(schema["pattern"].removesuffix("$"), given, re.ASCII):
        raise _wrong(at, "one of the standard's words, or ext: and a word")
    return _when(schema["format"], given, at) if schema.get("format") in ("date", "date-time") else given


def _when(kind: str, given: str, at: str) -> str:
    try:
        if len(given) == 10:
            day = date.fromisoformat(given)
            return given if kind == "date" else f"{day.isoformat()}T00:00:00.000Z"
        moment = datetime.fromisoformat(given)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _wrong(at, "YYYY-MM-DD" if kind == "date" else "YYYY-MM-DDThh:mm:ss.sssZ") from None
    return given[:10] if kind == "date" else instant(moment)


def _storable(given: Any, at: str, depth: int = 0) -> Any:
    """Whether the database can keep a free value. Raises: Declined."""
    if depth > 20:
        raise _wrong(at, "nested at most 20 times")
    match given:
        case Mapping():
            return {_storable(name, at): _storable(value, at, depth + 1) for name, value in given.items()}
        case list():
            return [_storable(value, at, depth + 1) for value in given]
        case str() if "\x00" in given:
            raise _wrong(at, "without the character U+0000")
        case float() if not math.isfinite(given):
            raise _wrong(at, "a number that is finite")
    return given


def _wrong(at: str, wanted: str) -> Declined:
    return Declined(Minor.INVALID_DATA, f"{at} is not {wanted}")
