"""Reading this service's log for one school: every entry names its school, saves name each pupil.

What the board decided binds all its schools and is read at each.
"""

import json

from servicekit.audit import AuditEntry, AuditPage, AuditQuestion
from servicekit.db import Transaction
from sqlalchemy import text

MOST = 200

# A pupil's entries: their own, saves of many cells that hold one of theirs, and openings of their class's sheets.
_ENTRIES = text("""
    SELECT l.id, l.at, l.actor_id, l.action, l.object_id, l.subject_id, l.information_class, l.before, l.after,
           s.entry_id IS NOT NULL AS sealed
      FROM audit_log l
      LEFT JOIN audit_seals s ON s.tenant_id = l.tenant_id AND s.entry_id = l.id
     WHERE l.tenant_id = :tenant
       AND (l.after->>'school_id' = :school_id
            OR (CAST(:subject_id AS uuid) IS NULL AND starts_with(l.action, 'board_')))
       AND (CAST(:subject_id AS uuid) IS NULL OR l.subject_id = :subject_id
            OR l.after->'cells' @> jsonb_build_array(jsonb_build_object('pupil_id', CAST(:subject_text AS text)))
            OR (l.action = 'sheet.read' AND l.object_id IN (
                SELECT m.class_id::text FROM class_members m WHERE m.tenant_id = :tenant AND m.pupil_id = :subject_id)))
       AND (CAST(:actor_id AS uuid) IS NULL OR l.actor_id = :actor_id)
       AND (CAST(:kind AS text) = '' OR (l.action LIKE '%.read') = (:kind = 'read'))
       AND (CAST(:from_at AS timestamptz) IS NULL OR l.at >= :from_at)
       AND (CAST(:to_at AS timestamptz) IS NULL OR l.at < :to_at)
       AND (CAST(:before_entry AS uuid) IS NULL OR l.id < :before_entry)
     ORDER BY l.id DESC
     LIMIT :rows
""")


async def entries(tx: Transaction, asked: AuditQuestion) -> AuditPage:
    """Newest first."""
    limit = min(asked.limit, MOST)
    rows = await tx.execute(
        _ENTRIES,
        {
            "tenant": tx.tenant,
            "school_id": str(asked.place_id),
            "subject_id": asked.subject_id,
            "subject_text": str(asked.subject_id) if asked.subject_id else None,
            "actor_id": asked.actor_id,
            "kind": asked.kind,
            "from_at": asked.from_at,
            "to_at": asked.to_at,
            "before_entry": asked.before_entry,
            "rows": limit + 1,
        },
    )
    found = [
        AuditEntry(
            row.id,
            row.at,
            row.actor_id,
            row.action,
            row.object_id,
            row.subject_id,
            row.information_class,
            _plain(row.before),
            _plain(row.after),
            row.sealed,
        )
        for row in rows
    ]
    return AuditPage(found[:limit], len(found) > limit)


def _plain(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value
