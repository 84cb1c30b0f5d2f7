"""Outbound events."""

from komu.reports.v1 import events_pb2
from servicekit.db import Transaction

from reports.domain.archive import IssuedDocument


def document_issued(tx: Transaction, document: IssuedDocument) -> None:
    """Tells that a document is in the archive: ids and the hash, no content."""
    message = events_pb2.DocumentIssued(
        document_id=str(document.id),
        form=document.form,
        pupil_id=str(document.pupil_ids[0]) if len(document.pupil_ids) == 1 else "",
        class_id=str(document.class_id or ""),
        sha256=document.sha256.hex(),
    )
    message.meta.aggregate_id = str(document.id)
    message.meta.aggregate_version = 1
    tx.emit(message)
