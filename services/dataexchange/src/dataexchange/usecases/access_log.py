"""Who looked and who changed what, for the 校長 and the board.

About the school, and those of its children whose records went out or came in; for the board also what it did itself.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from servicekit.audit import AuditPage, board_subject, read_audit
from servicekit.auth import Actor
from servicekit.clock import JST
from servicekit.db import Transaction

from dataexchange import policy
from dataexchange.policy import Served
from dataexchange.store import transfers


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of the log; empty filters leave everything in."""

    school_id: UUID
    subject_id: UUID | None
    actor_id: UUID | None
    kind: str
    from_on: date | None
    to_on: date | None
    before_entry: UUID | None
    limit: int


async def read(tx: Transaction, actor: Actor, served: Served, asked: Asked) -> AuditPage:
    """Raises: Unseen, Refused."""
    policy.may_read_audit(actor, served, asked.school_id).enforce()
    subjects = await transfers.subjects_of_school(tx, asked.school_id)
    if asked.subject_id is not None:
        subjects = [asked.subject_id] if asked.subject_id in set(subjects) else []
    elif policy.may_read_audit_of_board(actor, served):
        subjects.append(board_subject(tx.tenant))
    return await read_audit(
        tx, subject_ids=subjects, actor_id=asked.actor_id, kind=asked.kind, from_at=_start(asked.from_on),
        to_at=_start(asked.to_on + timedelta(days=1)) if asked.to_on else None, before_entry=asked.before_entry,
        limit=asked.limit or 50,
    )  # fmt: skip


def _start(on: date | None) -> datetime | None:
    return datetime.combine(on, time(), JST) if on else None
