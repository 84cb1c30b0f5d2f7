"""学年度: the school year, an int, named by the calendar year it begins in.

学校教育法施行規則 59条: 1 April to 31 March.
"""

from datetime import date

from jpschool.wareki import wareki_year

FIRST_MONTH = 4


def school_year_of(day: date) -> int:
    """The school year `day` lies in."""
    return day.year if day.month >= FIRST_MONTH else day.year - 1


def first_day(school_year: int) -> date:
    """1 April of the year it begins in."""
    return date(school_year, FIRST_MONTH, 1)


def last_day(school_year: int) -> date:
    """31 March of the following calendar year (inclusive)."""
    return date(school_year + 1, FIRST_MONTH - 1, 31)


def months(school_year: int) -> tuple[tuple[int, int], ...]:
    """(calendar year, month) from April to March, in the order the 出席簿 is read."""
    return tuple(
        (school_year if month >= FIRST_MONTH else school_year + 1, month) for month in (*range(4, 13), 1, 2, 3)
    )


def title(school_year: int) -> str:
    """「2026年度」, the spelling OneRoster Japan Profile asks of academicSessions."""
    return f"{school_year}年度"


def wareki_title(school_year: int) -> str:
    """「令和8年度」, the spelling of 指導要録 and 公文書. The era is that of the first day."""
    return f"{wareki_year(first_day(school_year))}度"
