"""Following the register of roster: facts as they come, and the whole of it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from servicekit.db import Transaction

from learning.store import projection
from learning.store.projection import ClassFact, Known, SchoolFact, StaffFact


async def school_changed(tx: Transaction, fact: SchoolFact) -> None:
    await projection.put_school(tx, fact)


async def class_changed(tx: Transaction, fact: ClassFact) -> None:
    await projection.put_class(tx, fact)


async def staff_changed(tx: Transaction, fact: StaffFact) -> None:
    await projection.put_staff(tx, fact)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole register of one board at one moment, read after `before` was."""

    schools: Sequence[SchoolFact]
    classes: Sequence[ClassFact]
    staff: Sequence[StaffFact]


async def read_register(tx: Transaction) -> Known:
    """What the projection of this board holds now."""
    return await projection.known(tx)


async def replace_register(tx: Transaction, before: Known, snapshot: Snapshot) -> None:
    """Make the projection what the snapshot says.

    `before` was read before the snapshot was taken: rows that still have those versions are dropped and laid anew
    (or stay away, when roster no longer has them); rows an event renewed since are newer than the snapshot and stay.
    """
    await projection.forget(tx, before)
    for school in snapshot.schools:
        await projection.put_school(tx, school)
    for staff in snapshot.staff:
        await projection.put_staff(tx, staff)
    for school_class in snapshot.classes:
        await projection.put_class(tx, school_class)
