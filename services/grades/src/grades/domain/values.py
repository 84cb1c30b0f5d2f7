"""What may stand in a cell: input as people type it, brought to the one spelling that is kept."""

import re
import unicodedata
from dataclasses import dataclass

from jpschool.characters import clusters

from grades.domain.curriculum import CIRCLE, Column

_CIRCLES = frozenset("○〇◯⭕oO0")
_UNPRINTABLE = ("Cc", "Cs", "Cn", "Co")
_HALF_WIDTH_KANA = re.compile(r"[\uff61-\uff9f]+")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The value to keep; empty clears the cell."""

    value: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why the input cannot stand here, for the person who typed it."""

    message: str


def read(column: Column, typed: str) -> Accepted | Rejected:
    """Full width, lower case, 〇 and ◯ count as the same; what is outside the closed list or too long is told."""
    return _read_text(column, typed) if column.is_text else _read_choice(column, typed)


def _read_choice(column: Column, typed: str) -> Accepted | Rejected:
    value = unicodedata.normalize("NFKC", typed).replace("\ufe0f", "").strip().upper()
    if column.allowed == CIRCLE and value in _CIRCLES | {"O"}:
        value = CIRCLE[0]
    if value == "" or value in column.allowed:
        return Accepted(value)
    choices = "・".join(column.allowed)
    shown = typed.strip()[:10]
    return Rejected(f"「{shown}」は{column.label}に入れられません。{choices}か空欄にしてください。")


def _read_text(column: Column, typed: str) -> Accepted | Rejected:
    value = tidy_text(typed)
    if control := next((c for c in value if unicodedata.category(c) in _UNPRINTABLE and c != "\n"), ""):
        return Rejected(f"{column.label}に印刷できない文字（U+{ord(control):04X}）があります。消してください。")
    length = count_characters(value)
    if length > column.max_characters:
        over = length - column.max_characters
        limit = f"{column.max_characters}字までです（{length}字あります）"
        return Rejected(f"{column.label}は{limit}。{over}字減らしてください。")
    return Accepted(value)


def tidy_text(typed: str) -> str:
    """One kind of line end, no blanks at line ends, no empty lines around, full-width katakana, tabs as one blank.

    Kanji keep their code points and variation selectors: a name inside a 所見 stays as it is written in 戸籍.
    """
    text = typed.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "\u3000")
    text = _HALF_WIDTH_KANA.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    return "\n".join(line.rstrip(" \u3000") for line in text.split("\n")).strip("\n")


def count_characters(text: str) -> int:
    """Characters as people count them: line ends are none, a base with its variation selector or 濁点 is one."""
    return len(clusters(text.replace("\n", "")))
