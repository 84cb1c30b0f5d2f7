"""Who looked and who changed what, for the 校長: the school's own records only."""

from __future__ import annotations

from servicekit.audit import AuditPage, AuditQuestion, board_subject, read_asked
from servicekit.auth import Actor
from servicekit.db import Transaction

from attendance import policy
from attendance.store import register
from attendance.usecases import standing


async def read_entries(tx: Transaction, actor: Actor, asked: AuditQuestion) -> AuditPage:
    """Entries about the school, its classes, its children, and what the board decided. Raises: Unseen, Refused."""
    policy.may_read_audit(actor, await standing.of_school(tx, actor, asked.place_id)).enforce()
    subjects = await register.subjects_of_school(tx, asked.place_id)
    if asked.subject_id is not None:
        subjects = [asked.subject_id] if asked.subject_id in set(subjects) else []
    else:
        subjects.append(board_subject(tx.tenant))  # its decisions bind, and are read at, every school
    return await read_asked(tx, subjects, asked)
