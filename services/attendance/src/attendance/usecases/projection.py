"""Following the register and the closing of terms: what events of other services change here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from servicekit.clock import day_in_jst
from servicekit.db import Transaction

from attendance.domain.calendar import first_calendar, school_year_of
from attendance.domain.register import Membership, SchoolClass, TermLock
from attendance.store import calendar, register
from attendance.store.register import StandingRow


async def follow_school(tx: Transaction, school_id: UUID, kind: str) -> None:
    """A school appeared: it gets a first calendar of the current year, for the school to change."""
    await register.keep_school(tx, school_id, kind)
    await start_calendar(tx, school_id, school_year_of(day_in_jst(tx.now)))


async def follow_class(tx: Transaction, homeroom: SchoolClass, version: int, roll: Sequence[Membership]) -> None:
    """A class or its members changed."""
    await register.keep_class(tx, homeroom, version, roll)
    await start_calendar(tx, homeroom.school_id, homeroom.school_year)


async def follow_staff(tx: Transaction, staff_id: UUID, version: int, rows: Sequence[StandingRow]) -> None:
    """Someone's appointments or duties changed."""
    await register.keep_staff(tx, staff_id, version, rows)


async def lock_term(tx: Transaction, school_id: UUID, school_year: int, lock: TermLock, closed_at: datetime) -> None:
    """The 校長 closed a term: its days are locked here too."""
    await calendar.lock_term(tx, school_id, school_year, lock, closed_at)


async def unlock_term(tx: Transaction, school_id: UUID, school_year: int, term: str) -> None:
    """The term was reopened."""
    await calendar.unlock_term(tx, school_id, school_year, term)


async def start_calendar(tx: Transaction, school_id: UUID, school_year: int) -> None:
    """A year a school has no calendar of begins with the usual one."""
    if await calendar.version_of(tx, school_id, school_year) == 0:
        await calendar.start(tx, school_id, school_year, first_calendar(school_year))
