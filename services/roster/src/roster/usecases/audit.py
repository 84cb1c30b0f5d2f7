"""閲覧・変更の記録: who looked at and who changed the register of a school."""

from __future__ import annotations

from servicekit.audit import AuditPage, AuditQuestion, read_asked
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Unseen

from roster import policy
from roster.store import pupils, schools
from roster.usecases.views import standing_of


async def read_audit(tx: Transaction, actor: Actor, asked: AuditQuestion) -> AuditPage:
    """Entries about the school and its pupils, newest first; for its 校長 and the board."""
    policy.may_read_audit(actor, await standing_of(tx, actor), asked.place_id).enforce()
    if not await schools.schools(tx, [asked.place_id], closed=True):
        raise Unseen
    subjects = [asked.place_id, *await pupils.ever_at(tx, asked.place_id)]
    if asked.subject_id is not None:
        if asked.subject_id not in subjects:
            raise Unseen
        subjects = [asked.subject_id]
    return await read_asked(tx, subjects, asked)
