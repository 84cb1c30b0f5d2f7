"""Audit entries in words: what was done, and what changed from what to what."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.audit_terms import FIELDS, NOUNS, PHRASES, READING_VERBS, VALUES, VERBS

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{40,}")
_SHORT = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after; empty text where there was nothing."""

    field: str
    before: str
    after: str


def is_reading(action: str) -> bool:
    return action.rpartition(".")[2] in READING_VERBS


def is_of_the_board(action: str) -> bool:
    """What the board of education decided for all its schools."""
    return action.startswith("board_")


def action_words(action: str) -> str:
    """`mark.corrected` → `評点の訂正`; a verb nobody has translated yet stays readable as it is."""
    if action in PHRASES:
        return PHRASES[action]
    noun, _, verb = action.rpartition(".")
    known_noun = NOUNS.get(noun) or NOUNS.get(noun.rpartition(".")[2])
    known_verb = VERBS.get(verb)
    if known_noun and known_verb:
        return f"{known_noun}の{known_verb}"
    return action


def differences(before_json: str, after_json: str, names: Mapping[str, str]) -> list[Difference]:
    """What changed, field by field; nested values by their path.

    `names`: id → name of people, classes, schools. Ids without a name and digests mean nothing to a reader: left out.
    """
    before, after = _flat(before_json, names), _flat(after_json, names)
    fields = list(dict.fromkeys([*before, *after]))
    return [
        Difference(_label(field), before.get(field, ""), after.get(field, ""))
        for field in fields
        if before.get(field, "") != after.get(field, "")
    ]


def _label(path: str) -> str:
    return "・".join(FIELDS.get(part, part) for part in path.split("."))


def _flat(raw: str, names: Mapping[str, str]) -> dict[str, str]:
    if not raw:
        return {}
    try:
        value = json.loads(raw)
    except ValueError:
        return {"value": _shortened(raw)}
    found: dict[str, str] = {}
    _walk(value, "", found)
    readable = {path: _readable(path, text, names) for path, text in found.items()}
    return {path: _shortened(text) for path, text in readable.items() if text is not None}


def _readable(path: str, text: str, names: Mapping[str, str]) -> str | None:
    """The word for a stored value; None for what only machines read."""
    if text in names:
        return names[text]
    if UUID.fullmatch(text) or _DIGEST.fullmatch(text):
        return None
    return VALUES.get(path.rpartition(".")[2], {}).get(text, text)


def _walk(value: Any, path: str, found: dict[str, str]) -> None:
    match value:
        case dict():
            for key, inner in value.items():
                _walk(inner, f"{path}.{key}" if path else str(key), found)
        case list() if any(isinstance(inner, dict | list) for inner in value):
            for index, inner in enumerate(value, start=1):
                _walk(inner, f"{path}.{index}" if path else str(index), found)
        case list():
            found[path or "value"] = "、".join(_plain(inner) for inner in value)
        case _:
            found[path or "value"] = _plain(value)


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "はい" if value else "いいえ"
        case _:
            return str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…（全{len(text)}字）"
