"""Who looked and who changed what, for the 校長 and the board."""

from __future__ import annotations

from servicekit.audit import AuditPage, AuditQuestion, board_subject, read_asked
from servicekit.auth import Actor
from servicekit.db import Transaction

from learning import policy
from learning.store import register
from learning.usecases import standing as standings


async def read_entries(tx: Transaction, actor: Actor, asked: AuditQuestion) -> AuditPage:
    """Entries about the school, its classes and its children; for the board also what it did for all of them.

    Raises: Unseen, Refused.
    """
    school, standing = await standings.of_school(tx, actor, asked.place_id)
    policy.may_read_audit(actor, school.id, standing).enforce()
    subjects = await register.subjects_of_school(tx, school.id)
    if asked.subject_id is not None:
        subjects = [asked.subject_id] if asked.subject_id in set(subjects) else []
    elif policy.may_read_audit_of_board(actor):
        subjects.append(board_subject(tx.tenant))
    return await read_asked(tx, subjects, asked)
