"""What a statement says about learning: who did which question or test, about what, and how well.

Sources: assessment profile of the 日本版 xAPI (ICT CONNECT 21, 2026-04-01), MEXCBT's cbt_drill_Profile (2026-01).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from learning.domain.xapi.remembered import Remembered

ANSWERED = "http://adlnet.gov/expapi/verbs/answered"
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
PREFIXES = ("https://w3id.org/japan-xapi/extensions/", "https://w3id.org/xapi-japan-profiles/extensions/")
"""The drafts name their extensions under both."""
_CODE = re.compile(r"[0-9A-Za-z]{16}")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")
_LONGEST = 300
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Result:
    """One scored answer (`whole` False) or one finished test (`whole` True)."""

    statement_id: UUID
    pupil_id: UUID
    whole: bool
    activity: str
    name: str
    unit: str
    subject: str
    codes: tuple[str, ...]
    purposes: tuple[str, ...]
    """出題の観点 (purpose-of-question)."""
    scaled: float
    """0…1 of what could be reached."""
    duration_s: int | None
    platform: str
    at: datetime


def result_of(statement_id: UUID, statement: Mapping[str, Any], stored: datetime) -> Result | None:
    """None for what says nothing about how well: no score, no known child, another verb.

    MEXCBT scores a question once: a type-1 item is one cmi.interaction with its score; a type-2 item carries the
    score in its `question` statement, and those of its interactions have none. Only what has a score is counted.
    """
    verb = _mapping(statement, "verb").get("id")
    if verb not in (ANSWERED, COMPLETED):
        return None
    scaled = _scaled(_mapping(_mapping(statement, "result"), "score"))
    pupil_id = _pupil(_mapping(_mapping(statement, "actor"), "account"))
    thing = _mapping(statement, "object")
    if scaled is None or pupil_id is None or not isinstance(thing.get("id"), str):
        return None
    definition, context = _mapping(thing, "definition"), _mapping(statement, "context")
    raw, about = _known.get((definition, context.get("extensions")))
    if about is None:
        about = _about(definition, context)
        _known.put(raw, about)
    return Result(
        statement_id=statement_id,
        pupil_id=pupil_id,
        whole=verb == COMPLETED,
        activity=_clean(thing["id"], 2000),
        name=about.name,
        unit=about.unit,
        subject=about.subject,
        codes=about.codes,
        purposes=about.purposes,
        scaled=scaled,
        duration_s=_seconds(_mapping(statement, "result").get("duration")),
        platform=_clean(str(context.get("platform") or "")),
        at=_instant(statement.get("timestamp"), stored),
    )


@dataclass(frozen=True, slots=True)
class _About:
    """What is the same whoever answers."""

    name: str
    unit: str
    subject: str
    codes: tuple[str, ...]
    purposes: tuple[str, ...]


_known: Remembered[_About] = Remembered()


def _about(definition: Mapping[str, Any], context: Mapping[str, Any]) -> _About:
    said = [one for one in (definition.get("extensions"), context.get("extensions")) if isinstance(one, dict)]
    units, subjects = _texts(said, "unit"), _texts(said, "subject")
    return _About(
        name=_name(_mapping(definition, "name")),
        unit=units[0] if units else "",
        subject=subjects[0] if subjects else "",
        codes=tuple(code for code in _texts(said, "course-of-study-code") if _CODE.fullmatch(code)),
        purposes=_texts(said, "purpose-of-question"),
    )


class Band(StrEnum):
    """How far a child is in a unit, by the mean of its last answer to each question."""

    REACHED = "reached"
    ALMOST = "almost"
    NOT_YET = "not_yet"
    NOTHING = "nothing"


REACHED_FROM, ALMOST_FROM = 0.8, 0.5
"""Where the bands begin: a look for the teacher, no 評定."""


def band_of(mean: float | None) -> Band:
    """Where a mean of 0…1 lies; None = nothing was answered."""
    if mean is None:
        return Band.NOTHING
    return Band.REACHED if mean >= REACHED_FROM else Band.ALMOST if mean >= ALMOST_FROM else Band.NOT_YET


def mean(values: Sequence[float]) -> float | None:
    """Of what tools send with seven decimals; None of nothing. 0.9, 1.0 and 0.5 make 0.8, not a hair less."""
    return round(sum(values) / len(values), _DECIMALS) if values else None


def latest(results: Iterable[Result]) -> list[Result]:
    """Each child's last answer to each question: who tries again is measured by the last time."""
    last: dict[tuple[UUID, str], Result] = {}
    for one in sorted(results, key=lambda result: (result.at, result.statement_id)):
        last[(one.pupil_id, one.activity)] = one
    return list(last.values())


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}  # as JSON is read; an abstract check costs ten times as much


def _scaled(score: Mapping[str, Any]) -> float | None:
    """(raw − min) / (max − min) where no scaled is given (assessment profile); below 0 is 0."""
    given = {key: score.get(key) for key in ("scaled", "raw", "min", "max")}
    numbers = {key: float(value) for key, value in given.items() if isinstance(value, int | float)}
    if "scaled" in numbers:
        return min(1.0, max(0.0, numbers["scaled"]))
    lowest = numbers.get("min", 0.0)
    if "raw" in numbers and "max" in numbers and numbers["max"] > lowest:
        return min(1.0, max(0.0, (numbers["raw"] - lowest) / (numbers["max"] - lowest)))
    return None


def _pupil(account: Mapping[str, Any]) -> UUID | None:
    """account.name is the person's UUID in every profile of the model."""
    try:
        return UUID(str(account.get("name", "")))
    except ValueError:
        return None


def _texts(said: Sequence[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    """An extension of activity or context, a text or a list of them; in order, each once."""
    found: list[str] = []
    for extensions in said:
        for prefix in PREFIXES:
            value = extensions.get(prefix + name)
            if value is None:
                continue
            given = value if isinstance(value, list) else [value]
            found.extend(_clean(text) for text in given if isinstance(text, str) and text.strip())
    return tuple(dict.fromkeys(found))


def _name(names: Mapping[str, Any]) -> str:
    given = names.get("ja-JP") or names.get("ja") or next(iter(names.values()), "")
    return _clean(str(given))


def _clean(text: str, longest: int = _LONGEST) -> str:
    """As a database takes it: without the characters that end or part texts there."""
    return text.replace("\x00", "").replace("\x1e", " ").strip()[:longest]


def _seconds(duration: Any) -> int | None:
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return total if total < 2**31 else None


def _instant(said: Any, stored: datetime) -> datetime:
    """The statement's own time; that of storing where there is none."""
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        return stored
    return at if at.tzinfo and 1970 < at.year < 2200 else stored
