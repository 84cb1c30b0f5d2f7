"""Family of a pupil: who comes first, from which day, and what that does to the entries before.

An entry is changed from a day on; what stood before ends the day before and stays readable (様式1: 従前の記載).
On the very day an entry began, a change is a correction: the wrong entry is struck and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import Generic, TypeVar
from uuid import UUID

from roster.domain.names import NameSets
from roster.domain.people import Address, Pupil
from roster.domain.period import Period, day_before, japanese_date

CUSTODIES = ("", "joint", "sole", "guardian", "none")


@dataclass(frozen=True, slots=True)
class FamilyGuardian:
    """保護者; rank 1 is printed on 様式1. Empty address = 児童の欄に同じ."""

    id: UUID
    rank: int
    names: NameSets
    relationship: str
    custody: str  # one of CUSTODIES (民法 818条・819条・838条); empty = not told to the school
    cares: bool  # 監護者 (民法 766条)
    phone: str
    address: str
    period: Period

    @property
    def words(self) -> str:
        """As one line, for what was struck."""
        return "　".join(filter(None, (self.relationship, self.names.display.full, self.phone, self.address)))


@dataclass(frozen=True, slots=True)
class Contact:
    """連絡先, in the order of calling."""

    id: UUID
    rank: int
    label: str
    phone: str
    note: str
    period: Period

    @property
    def words(self) -> str:
        """As one line, for what was struck."""
        return "　".join(filter(None, (self.label, self.phone, self.note)))


@dataclass(frozen=True, slots=True)
class Struck:
    """An entry that was wrong, as it read."""

    kind: str  # guardian | contact | address
    text: str
    struck_at: datetime
    struck_by: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Family:
    """What the pupil's family page shows. `hidden`: addresses and contacts are left out for this reader."""

    pupil: Pupil
    guardians: tuple[FamilyGuardian, ...]
    contacts: tuple[Contact, ...]
    addresses: tuple[Address, ...]
    siblings: tuple[Pupil, ...]
    struck: tuple[Struck, ...]
    hidden: bool = False
    may_change: bool = False

    def veiled(self) -> Family:
        """Without what tells where a protected child lives (支援措置)."""
        guardians = tuple(replace(one, phone="", address="") for one in self.guardians)
        return replace(self, guardians=guardians, contacts=(), addresses=(), siblings=(), struck=(), hidden=True)


class FamilyProblem(Exception):
    """Why an entry cannot be changed so; `field` says what was typed wrong."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


T = TypeVar("T", bound=FamilyGuardian | Contact)


@dataclass(frozen=True, slots=True)
class Arrangement(Generic[T]):
    """What a change does to the rows: `ended` get their last day, `struck` go, `started` come."""

    ended: tuple[T, ...]
    struck: tuple[T, ...]
    started: tuple[T, ...]


def arrange(current: Sequence[T], changed: T, on: date) -> Arrangement[T]:
    """From `on` the changed entry stands at its rank; the others move up or down for it.

    `current`: the entries of today. Raises: FamilyProblem.
    """
    others: list[T] = [one for one in sorted(current, key=lambda one: one.rank) if one.id != changed.id]
    place: int = min(max(changed.rank, 1), len(others) + 1) - 1
    others.insert(place, changed)
    return _arranged(current, others, on)


def end(current: Sequence[T], entry_id: UUID, last_on: date) -> Arrangement[T]:
    """The entry stands until `last_on`; those behind it move up.

    Raises: FamilyProblem.
    """
    gone = next((one for one in current if one.id == entry_id), None)
    if gone is None:
        raise FamilyProblem("すでに終わっている登録です。画面を開き直してください。", "last_on")
    if last_on < gone.period.starts_on:
        began = japanese_date(gone.period.starts_on)
        raise FamilyProblem(f"最後の日は、登録の始まった{began}以後の日付にしてください。", "last_on")
    rest: list[T] = [one for one in sorted(current, key=lambda one: one.rank) if one.id != entry_id]
    moved: Arrangement[T] = _arranged(rest, rest, date.fromordinal(last_on.toordinal() + 1))
    last: T = replace(gone, period=gone.period.ended(last_on))
    return replace(moved, ended=tuple(chain([last], moved.ended)))


def _arranged(current: Sequence[T], wanted: Sequence[T], on: date) -> Arrangement[T]:
    was = {one.id: one for one in current}
    ended: list[T] = []
    struck: list[T] = []
    started: list[T] = []
    for rank, one in enumerate(wanted, 1):
        before, after = was.get(one.id), replace(one, rank=rank, period=Period(on))
        if before is not None and replace(after, period=before.period) == before:
            continue
        if before is not None and before.period.starts_on > on:
            began = japanese_date(before.period.starts_on)
            raise FamilyProblem(f"{began}からの登録があります。それ以後の日付にしてください。", "on")
        if before is not None and before.period.starts_on == on:
            struck.append(before)
        elif before is not None:
            ended.append(replace(before, period=before.period.ended(day_before(on))))
        started.append(after)
    return Arrangement(tuple(ended), tuple(struck), tuple(started))


def move(current: Address | None, new: Address) -> tuple[Address | None, Address | None]:
    """The address before, with its last day, or struck because it began the same day: (ended, struck).

    Raises: FamilyProblem.
    """
    if not new.text:
        raise FamilyProblem("住所を入力してください。", "text")
    if current is None:
        return None, None
    if current.period.starts_on > new.period.starts_on:
        began = japanese_date(current.period.starts_on)
        raise FamilyProblem(f"{began}からの住所が登録されています。それ以後の日付にしてください。", "on")
    if current.period.starts_on == new.period.starts_on:
        return None, current
    return replace(current, period=current.period.ended(day_before(new.period.starts_on))), None


def complete(entry: FamilyGuardian | Contact) -> None:
    """Raises: FamilyProblem for what is missing."""
    if isinstance(entry, FamilyGuardian):
        if not entry.names.display.family or not entry.names.display.given:
            raise FamilyProblem("保護者の姓と名を入力してください。", "family")
        if not entry.relationship:
            raise FamilyProblem("続柄を入力してください。例：父、母、祖母。", "relationship")
        return
    if not entry.label:
        raise FamilyProblem("どこの、だれの電話かを入力してください。例：母の勤務先。", "label")
    if not entry.phone:
        raise FamilyProblem("電話番号を入力してください。", "phone")
