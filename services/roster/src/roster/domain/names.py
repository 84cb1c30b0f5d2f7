"""The three name sets of a person, and the keys that find and order people.

official (戸籍, MJ characters) · display (JIS X 0213, 通称 where there is one) · full-width katakana.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from jpschool.kana import gojuon_key, search_key

from roster.domain.period import Period

NAME_KINDS = ("official", "display", "kana", "alias")
_BETWEEN_FORMS = "\x1f"


@dataclass(frozen=True, slots=True)
class Name:
    """One name in one of the name sets."""

    family: str
    given: str
    middle: str = ""

    @property
    def full(self) -> str:
        """Family, middle and given name with 全角 spaces, as printed."""
        return "\u3000".join(part for part in (self.family, self.middle, self.given) if part)

    def __bool__(self) -> bool:
        return bool(self.family or self.given or self.middle)


@dataclass(frozen=True, slots=True)
class NameSets:
    """What a person is called today."""

    display: Name
    kana: Name
    official: Name | None = None
    alias: Name | None = None


@dataclass(frozen=True, slots=True)
class DatedName:
    """A name and the days it was valid: a changed name stays readable (指導要録の記入, 様式1)."""

    kind: str  # one of NAME_KINDS
    name: Name
    period: Period


def sort_key(kana: Name, display: Name) -> str:
    """五十音順 by kana; a person without kana stands after all who have one."""
    if not kana:
        return "\uffff" + display.full
    return "\x1f".join(map(" ".join, zip(_weights(kana.family), _weights(kana.given), strict=True)))


# A board's file has tens of thousands of people and far fewer different names.
@lru_cache(maxsize=65536)
def _weights(part: str) -> tuple[str, ...]:
    return tuple(gojuon_key(part).split("\x1f"))


@lru_cache(maxsize=65536)
def _folded(part: str) -> str:
    return search_key(part) if part else ""


def search_text(names: Iterable[Name]) -> str:
    """Every form a person may be looked for by, folded: contained in it = found.

    Kana kind, width, case, spaces and kanji variants make no difference; former names stay findable.
    """
    keys = dict.fromkeys(_folded(name.family) + _folded(name.given) + _folded(name.middle) for name in names if name)
    return _BETWEEN_FORMS + _BETWEEN_FORMS.join(keys) + _BETWEEN_FORMS


def query_key(typed: str) -> str:
    """What to look for in `search_text`; empty when nothing searchable was typed."""
    return search_key(typed).replace(_BETWEEN_FORMS, "")


def typed_number(typed: str) -> int | None:
    """The 出席番号 meant by 「12」 or 「１２番」; None when the words are a name."""
    bare = typed.strip().removesuffix("番")
    return int(bare) if bare.isdecimal() and len(bare) <= 3 else None
