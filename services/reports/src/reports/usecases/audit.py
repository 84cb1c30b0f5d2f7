"""Who issued and who opened, for the 校長 of the school. What a preview reads is noted where it is read from."""

from servicekit.audit import AuditPage, AuditQuestion, read_asked
from servicekit.auth import Actor
from servicekit.db import Transaction

from reports import policy
from reports.domain.standing import Standing
from reports.store import archive


async def read_entries(tx: Transaction, actor: Actor, standing: Standing, asked: AuditQuestion) -> AuditPage:
    """Entries about the pupils for whom the school issued something. Raises: Unseen, Refused."""
    policy.may_read_audit(actor, standing, asked.place_id).enforce()
    return await read_asked(tx, await archive.subjects_of(tx, asked.place_id, asked.subject_id), asked)
