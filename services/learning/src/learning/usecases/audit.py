"""Who looked and who changed what, for the 校長 and the board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from servicekit.audit import AuditPage, board_subject, read_audit
from servicekit.auth import Actor
from servicekit.clock import JST
from servicekit.db import Transaction

from learning import policy
from learning.store import register
from learning.usecases import standing as standings


@dataclass(frozen=True, slots=True)
class AskedEntries:
    """A page of the log; empty filters leave everything in. Both days belong to it."""

    school_id: UUID
    subject_id: UUID | None
    actor_id: UUID | None
    kind: str
    from_on: date | None
    to_on: date | None
    before_entry: UUID | None
    limit: int


async def read_entries(tx: Transaction, actor: Actor, asked: AskedEntries) -> AuditPage:
    """Entries about the school, its classes and its children; for the board also what it did for all of them.

    Raises: Unseen, Refused.
    """
    school, standing = await standings.of_school(tx, actor, asked.school_id)
    policy.may_read_audit(actor, school.id, standing).enforce()
    subjects = await register.subjects_of_school(tx, school.id)
    if asked.subject_id is not None:
        subjects = [asked.subject_id] if asked.subject_id in set(subjects) else []
    elif policy.may_read_audit_of_board(actor):
        subjects.append(board_subject(tx.tenant))
    return await read_audit(
        tx,
        subject_ids=subjects,
        actor_id=asked.actor_id,
        kind=asked.kind,
        from_at=_start(asked.from_on),
        to_at=_start(asked.to_on + timedelta(days=1)) if asked.to_on else None,
        before_entry=asked.before_entry,
        limit=asked.limit or 50,
    )


def _start(on: date | None) -> datetime | None:
    return datetime.combine(on, time(), JST) if on else None
