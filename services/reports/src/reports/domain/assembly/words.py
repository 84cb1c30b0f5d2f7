"""Small words of forms: names, furigana, class labels."""

import re
from collections.abc import Iterable, Sequence

from reports.domain.forms.values import Entry
from reports.domain.sources import DatedText, StaffFact

_KATAKANA = {code: code - 0x60 for code in [*range(0x30A1, 0x30F7), 0x30FD, 0x30FE]}
_JAPANESE = re.compile("[\u3040-\u309f\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def furigana(kana: str, name: str) -> str:
    """ふりがな in hiragana, as the form asks; a part with neither kanji nor hiragana keeps its katakana."""
    parts, spoken = name.split("\u3000"), kana.split("\u3000")
    if len(parts) != len(spoken):
        parts, spoken = [name], [kana]
    return "\u3000".join(
        said.translate(_KATAKANA) if _JAPANESE.search(part) else said for part, said in zip(parts, spoken, strict=True)
    )


def class_label(class_name: str, school_grade: str) -> str:
    """「3年1組」 of 小3 → 「1組」: the 学年 stands in the column already."""
    return class_name.removeprefix(f"{school_grade[1:]}年") or class_name


def entries(values: list[DatedText]) -> tuple[Entry, ...]:
    """In order of their days; what has ended is struck, but stays."""
    ordered = sorted(values, key=lambda value: (value.starts_on, value.ends_on or "9999"))
    found: dict[tuple[str, str], Entry] = {}
    for value in ordered:
        found[value.text, value.ends_on] = Entry(text=value.text, struck=bool(value.ends_on), ends_on=value.ends_on)
    return tuple(found.values())


def of_kind(values: tuple[DatedText, ...], *kinds: str) -> list[DatedText]:
    """The values of the first kind that has any."""
    for kind in kinds:
        found = [value for value in values if value.kind == kind]
        if found:
            return found
    return []


def in_force(values: list[DatedText], on: str) -> str:
    """The value of that day (ISO 8601). What was first entered later holds for the days before, too."""
    ordered = sorted(values, key=lambda value: value.starts_on)
    valid = [v.text for v in ordered if v.starts_on <= on and (not v.ends_on or v.ends_on >= on)]
    if valid:
        return valid[-1]
    return ordered[0].text if ordered else ""


def in_office(staff: Iterable[StaffFact], on: str) -> Sequence[StaffFact]:
    """Who served on that day (ISO 8601), not who will; where nobody did, who served last before it."""
    begun = sorted((each for each in staff if each.starts_on <= on), key=lambda each: each.starts_on)
    serving = [each for each in begun if not each.ends_on or each.ends_on >= on]
    return serving or begun[-1:]


def now_of(values: list[DatedText]) -> str:
    """The value in force; the last at all, where every one has ended."""
    ordered = sorted(values, key=lambda value: (not value.ends_on, value.starts_on))
    return ordered[-1].text if ordered else ""
