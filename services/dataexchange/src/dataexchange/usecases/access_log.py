"""Who looked and who changed what, for the 校長 and the board.

About the school, and those of its children whose records went out or came in; for the board also what it did itself.
"""

from servicekit.audit import AuditPage, AuditQuestion, board_subject, read_asked
from servicekit.auth import Actor
from servicekit.db import Transaction

from dataexchange import policy
from dataexchange.policy import Served
from dataexchange.store import transfers


async def read(tx: Transaction, actor: Actor, served: Served, asked: AuditQuestion) -> AuditPage:
    """Raises: Unseen, Refused."""
    policy.may_read_audit(actor, served, asked.place_id).enforce()
    subjects = await transfers.subjects_of_school(tx, asked.place_id)
    if asked.subject_id is not None:
        subjects = [asked.subject_id] if asked.subject_id in set(subjects) else []
    elif policy.may_read_audit_of_board(actor, served):
        subjects.append(board_subject(tx.tenant))
    return await read_asked(tx, subjects, asked)
