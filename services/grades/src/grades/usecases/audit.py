"""Who looked at and who changed the marks of a school."""

from servicekit.audit import AuditPage, AuditQuestion
from servicekit.auth import Actor
from servicekit.db import Transaction

from grades import policy
from grades.store import audit
from grades.usecases.facts import require_school, standing


async def read_audit(tx: Transaction, actor: Actor, asked: AuditQuestion) -> AuditPage:
    """Raises: Unseen, Refused."""
    await require_school(tx, asked.place_id)
    policy.may_read_audit(actor, await standing(tx, actor), asked.place_id).enforce()
    return await audit.entries(tx, asked)
