"""学習指導要領コード: 16 characters that name a passage. Case matters (n 各教科共通 is not N 特別活動).

Digits (文部科学省 教育データ標準): 1 告示時期, 2 学校種別, 3 教科, 4 分野・科目, 5 大項目, 6 学年, 7–15 階層,
16 一部改正. There is no check digit; a code is right when the table has it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

LENGTH = 16
SCHOOL_KINDS = {"2": "小学校", "3": "中学校", "4": "高等学校"}
IN_FORCE_FROM = {"82": date(2020, 4, 1), "83": date(2021, 4, 1), "84": date(2022, 4, 1)}
"""施行の日: 平成29年文部科学省告示63号 (小), 同64号 (中), 平成30年同68号 (高, 年次進行)."""
_YEARS = {
    "A": (1, 2), "B": (2, 3), "C": (3, 4), "D": (5, 6), "E": (1, 2, 3), "F": (1, 2, 3, 4), "G": (1, 2, 3, 4, 5),
    "H": (2, 3, 4), "I": (2, 3, 4, 5), "J": (2, 3, 4, 5, 6), "K": (3, 4, 5), "L": (3, 4, 5, 6), "M": (4, 5),
    "N": (4, 5, 6),
}  # fmt: skip
_SCHOOL_GRADE_LETTERS = {"P": "2", "J": "3", "H": "4"}


@dataclass(frozen=True, slots=True)
class Passage:
    """One row of the tables."""

    code: str
    subject: str
    """教科等, as the table names it."""
    text: str

    @property
    def school_kind(self) -> str:
        """小学校, 中学校 or 高等学校."""
        return SCHOOL_KINDS.get(self.code[1], "")

    @property
    def years(self) -> tuple[int, ...]:
        """学年 the passage is for, within the kind of school; empty = all of them."""
        digit = self.code[5]
        return (int(digit),) if digit in "123456" else _YEARS.get(digit, ())

    @property
    def in_force_from(self) -> date | None:
        """The day this 学習指導要領 took effect."""
        return IN_FORCE_FROM.get(self.code[:2])


class Table:
    """Every passage, in the order of the tables."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self.passages: Sequence[Passage] = tuple(passages)
        self.by_code: Mapping[str, Passage] = {one.code: one for one in self.passages}
        self._place = {one.code: place for place, one in enumerate(self.passages)}
        self._searched = [_plain(f"{one.subject}{one.text}") for one in self.passages]

    def above(self, code: str) -> list[Passage]:
        """The passages it stands under, widest first: the right-most used level is left out, again and again."""
        found: list[Passage] = []
        for place in (*range(LENGTH - 2, 5, -1), 5, 4, 3):
            if len(code) == LENGTH and code[place] != "0":
                code = f"{code[:place]}0{code[place + 1 :]}"
                if code in self.by_code:
                    found.append(self.by_code[code])
        return found[::-1]

    def subjects(self, school_kind: str) -> list[str]:
        """教科等 of a kind of school (digit 2), in the order of the table."""
        return list(dict.fromkeys(one.subject for one in self.passages if one.code[1] == school_kind))

    def search(
        self, words: str, *, school_kind: str = "", subject: str = "", school_grade: str = "", after: str = "",
        limit: int = 50,
    ) -> tuple[list[Passage], bool]:  # fmt: skip
        """Passages that have all the words, or whose code begins with the one word; and whether there are more.

        `school_kind`: digit 2; `school_grade`: P1 … H3, which passages for all 学年 answer too; `after`: the last code
        of the page before.
        """
        asked = [_plain(word) for word in words.split()]
        prefix = words.strip() if words.strip().isascii() and words.strip().isalnum() else ""
        year = int(school_grade[1]) if school_grade[1:].isascii() and school_grade[1:].isdigit() else 0
        if school_grade:
            school_kind = _SCHOOL_GRADE_LETTERS.get(school_grade[0], "-")
        found: list[Passage] = []
        for place in range(self._place.get(after, -1) + 1, len(self.passages)):
            one = self.passages[place]
            if school_kind and one.code[1] != school_kind:
                continue
            if subject and one.subject != subject:
                continue
            if year and one.years and year not in one.years:
                continue
            told = self._searched[place]
            if (prefix and one.code.startswith(prefix)) or all(word in told for word in asked):
                if len(found) == limit:
                    return found, True
                found.append(one)
        return found, False


def _plain(text: str) -> str:
    """Width, case and spaces do not matter to who searches."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
