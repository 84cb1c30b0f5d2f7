"""Who did or saw what: append-only, hash-chained per tenant, checkable by an outsider with one command.

`python -m servicekit.audit verify --dsn URL [--tenant T]`
"""

from servicekit.audit.query import (
    AuditEntry,
    AuditPage,
    AuditQuestion,
    board_subject,
    question_of,
    read_asked,
    read_audit,
    to_proto,
)
from servicekit.audit.verify import Finding, verify

__all__ = [
    "AuditEntry",
    "AuditPage",
    "AuditQuestion",
    "Finding",
    "board_subject",
    "question_of",
    "read_asked",
    "read_audit",
    "to_proto",
    "verify",
]
