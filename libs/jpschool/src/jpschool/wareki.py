"""和暦: dates in Japanese eras (元号法, 昭和54年法律第43号; 皇室典範特例法 for 令和).

Days before 1873-01-01 are refused: the calendar of Japan was lunisolar until then.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

GREGORIAN_SINCE = date(1873, 1, 1)


@dataclass(frozen=True, slots=True)
class Era:
    """元号: its name, its one-letter form, its first day and the calendar year of its 元年."""

    name: str
    letter: str
    first_day: date

    @property
    def first_year(self) -> int:
        return self.first_day.year


ERAS = (
    Era("令和", "R", date(2019, 5, 1)),
    Era("平成", "H", date(1989, 1, 8)),
    Era("昭和", "S", date(1926, 12, 25)),
    Era("大正", "T", date(1912, 7, 30)),
    Era("明治", "M", date(1868, 1, 25)),
)

_WRITTEN = re.compile(
    r"(?P<era>令和|平成|昭和|大正|明治|[RHSTM])\s*(?P<year>元|\d{1,2})\s*(?:年|[./-])\s*(?P<month>\d{1,2})\s*(?:月|[./-])\s*(?P<day>\d{1,2})\s*日?",
    re.IGNORECASE,
)


def era_of(day: date) -> Era:
    """The era `day` lies in. Raises: ValueError before 1873."""
    if day < GREGORIAN_SINCE:
        raise ValueError("1873年（明治6年）より前の日付は和暦に直せません。")
    return next(era for era in ERAS if day >= era.first_day)


def wareki_year(day: date) -> str:
    """「令和8年」; the first year of an era is 「元年」."""
    era = era_of(day)
    year = day.year - era.first_year + 1
    return f"{era.name}{'元' if year == 1 else year}年"


def wareki(day: date) -> str:
    """「令和8年11月21日」."""
    return f"{wareki_year(day)}{day.month}月{day.day}日"


def wareki_short(day: date) -> str:
    """「R8.11.21」, for narrow columns."""
    era = era_of(day)
    return f"{era.letter}{day.year - era.first_year + 1}.{day.month}.{day.day}"


def parse_wareki(text: str) -> date:
    """A date written in 和暦 (令和8年11月21日, 令和元年5月1日, R8.11.21; full-width digits too).

    Raises: ValueError when it is no such date or lies outside its era (平成31年5月1日).
    """
    found = _WRITTEN.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise ValueError(f"和暦の日付として読めません: {text}")
    mark = found["era"].upper()
    era = next(era for era in ERAS if mark in (era.name, era.letter))
    year = 1 if found["year"] == "元" else int(found["year"])
    if year == 0:
        raise ValueError(f"和暦に0年はありません: {text}")
    day = date(era.first_year + year - 1, int(found["month"]), int(found["day"]))
    if era_of(day) is not era:
        raise ValueError(f"{era.name}にその日はありません: {text}")
    return day
