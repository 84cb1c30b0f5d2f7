"""Values several forms share. Dates are ISO 8601 text (empty = blank on the form); 学年 is a number from 1."""

from dataclasses import dataclass
from typing import Literal

SchoolKind = Literal["elementary", "lower_secondary"]
"""小学校 or 中学校."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value of a box that may change over time: a name, an address, a school.

    A former value is struck out but stays readable (指導要録 keeps it), with the day it ended.
    """

    text: str
    struck: bool = False
    ends_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPeriod:
    """校長 or 学級担任者 with the days served; the predecessor of a mid-year change stays with its period."""

    name: str
    starts_on: str = ""
    ends_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """The 校長's statement that a 写し matches the original. `text` and `seal_label` are the board's."""

    text: str
    issued_on: str
    school_name: str
    principal_name: str
    seal_label: str = "公印"


def current(entries: tuple[Entry, ...]) -> str:
    """The value in force: the last one that is not struck; the last at all where every one is."""
    valid = [entry.text for entry in entries if not entry.struck]
    if valid:
        return valid[-1]
    return entries[-1].text if entries else ""
