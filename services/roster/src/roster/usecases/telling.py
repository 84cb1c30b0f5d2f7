"""What changed is told as whole aggregates; their versions are counted on before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from servicekit.db import Transaction

from roster import events
from roster.domain.people import Beginning
from roster.store import aggregates, schools


async def schools_changed(tx: Transaction, ids: Collection[UUID]) -> None:
    """Tell of schools entered or changed."""
    if ids:
        for value in await schools.schools(tx, ids, closed=True):
            tx.emit(events.school_changed(value))


async def class_rosters_changed(tx: Transaction, ids: Collection[UUID]) -> None:
    """Tell of classes whose members, number or name changed."""
    for batch in aggregates.batches(ids):
        for state in await aggregates.class_rosters(tx, batch):
            tx.emit(events.class_roster_changed(state))


async def staff_duties_changed(tx: Transaction, ids: Collection[UUID]) -> None:
    """Tell of people whose posts or duties changed."""
    for batch in aggregates.batches(ids):
        for state in await aggregates.staff(tx, batch):
            tx.emit(events.staff_duties_changed(state))


async def enrolments_changed(tx: Transaction, ids: Collection[UUID]) -> None:
    """Tell of times on the roll that began, changed or ended."""
    for batch in aggregates.batches(ids):
        for state in await aggregates.enrolments(tx, batch):
            tx.emit(events.enrolment_changed(state))


def enrolments_began(tx: Transaction, import_id: UUID, begun: Sequence[Beginning]) -> None:
    """Tell of the children whom a roster file put on the rolls."""
    for part, beginning in enumerate(begun, 1):
        tx.emit(events.enrolments_began(import_id, part, beginning))


def people_renamed(tx: Transaction, import_id: UUID, ids: Collection[UUID]) -> None:
    """Tell of people whom a roster file calls otherwise than before."""
    for part, batch in enumerate(aggregates.batches(ids), 1):
        tx.emit(events.people_renamed(import_id, part, batch))
