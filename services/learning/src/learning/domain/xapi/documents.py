"""Documents (state, profiles): entity tags and merging (Communication 2.2, 3.1; 2.0: 4.1.4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

import orjson

from learning.domain.xapi.reading import read_json
from learning.domain.xapi.wrong import Wrong


@dataclass(frozen=True, slots=True)
class Document:
    content: bytes
    content_type: str

    @property
    def etag(self) -> str:
        """Quoted SHA-1 of the content in hexadecimal digits (Communication 3.1)."""
        return '"' + hashlib.sha1(self.content, usedforsecurity=False).hexdigest() + '"'

    @property
    def is_json(self) -> bool:
        return self.content_type.partition(";")[0].strip().lower() == "application/json"


@dataclass(frozen=True, slots=True)
class Condition:
    """If-Match and If-None-Match of a request."""

    match: str | None = None
    none_match: str | None = None


class Blind(Enum):
    """What a write without If-Match and If-None-Match may do."""

    ANYTHING = "anything"
    CREATE = "create"
    """2.0: 4.1.4, and profiles of activities in 1.0.3: nothing is overwritten by somebody who has not looked."""
    NOTHING = "nothing"
    """Profiles of agents in 1.0.3 (Communication 3.1: MUST include)."""


def may_change(condition: Condition, etag: str | None, blind: Blind = Blind.ANYTHING) -> None:
    """`etag`: of what is kept, None where nothing is.

    Raises: Wrong 412 for a condition that does not hold, 409 or 400 for a write by somebody who has not looked.
    """
    if condition.match is not None and (etag is None or not _names(condition.match, etag)):
        raise Wrong("If-Match: the document is another one by now; read it again", 412)
    if condition.none_match is not None and etag is not None and _names(condition.none_match, etag):
        raise Wrong("If-None-Match: there is such a document already", 412)
    if condition.match is not None or condition.none_match is not None:
        return
    if blind is Blind.NOTHING and etag is None:
        raise Wrong("If-None-Match: * (or If-Match with an ETag) is wanted to write a profile of an agent")
    if blind is not Blind.ANYTHING and etag is not None:
        raise Wrong(
            "there is a document already: read it, then send If-Match with its ETag (or If-None-Match: * to make sure"
            " that there is none)",
            409,
        )


def _names(header: str, etag: str) -> bool:
    if header.strip() == "*":
        return True
    return any(one.strip().removeprefix("W/") == etag for one in header.split(","))


def merge(kept: Document | None, new: Document) -> Document:
    """POST: the properties of the new object over those of the kept one (Communication 2.2.s7). Raises: Wrong."""
    added = _object(new, "the document") if new.is_json else None
    if kept is None:
        return new
    if added is None:
        raise Wrong("only application/json can be added to a document; PUT replaces it")
    if not kept.is_json:
        raise Wrong("the document that is there is not application/json, so nothing can be added to it")
    return Document(orjson.dumps({**_object(kept, "the document that is there"), **added}), new.content_type)


def _object(document: Document, what: str) -> dict[str, object]:
    value = read_json(document.content, what)
    if not isinstance(value, dict):
        raise Wrong(f"{what}: a JSON object is wanted")
    return value
