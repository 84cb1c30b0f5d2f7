"""What a transaction tells: audit entries and events, each saved with one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.auth import Actor
from servicekit.events.envelope import OutgoingEvent
from servicekit.telemetry import current_trace_id

_INSERT_AUDIT = """
WITH entry AS (
  INSERT INTO audit_log (tenant_id, id, at, actor_id, session_id, action, object_id, subject_id, information_class,
                         before, after, trace_id)
  SELECT current_setting('komu.tenant'), e.id, %s, %s, %s, e.action, e.object_id, e.subject_id, e.information_class,
         e.before, e.after, %s
  FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::smallint[], %s::jsonb[], %s::jsonb[])
       AS e (id, action, object_id, subject_id, information_class, before, after)
  RETURNING tenant_id, id)
INSERT INTO audit_pending (tenant_id, entry_id) SELECT tenant_id, id FROM entry
"""

_INSERT_OUTBOX = """
INSERT INTO outbox (tenant_id, event_id, subject, type, payload, traceparent)
SELECT current_setting('komu.tenant'), e.event_id, e.subject, e.type, e.payload, %s
FROM unnest(%s::uuid[], %s::text[], %s::text[], %b::bytea[]) WITH ORDINALITY
     AS e (event_id, subject, type, payload, position)
ORDER BY e.position
"""


@dataclass(frozen=True, slots=True)
class AuditNote:
    """One audit entry to be saved; `before` and `after` are JSON text."""

    id: UUID
    action: str
    object_id: str
    subject_id: UUID | None
    information_class: int
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """Events and audit entries of a transaction that is still open."""

    events: tuple[OutgoingEvent, ...]
    audit: tuple[AuditNote, ...]


def changed_only(before: Any, after: Any) -> tuple[Any, Any]:
    """Of two objects with the same keys only what differs stays: the log tells the change, not the whole record."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before, after
    missing = object()
    keys = [key for key in {**before, **after} if before.get(key, missing) != after.get(key, missing)]
    return {k: before[k] for k in keys if k in before}, {k: after[k] for k in keys if k in after}


def save_audit(now: datetime, actor: Actor | None, notes: Sequence[AuditNote]) -> tuple[str, Sequence[Any]]:
    """The statement that appends `notes` to the log and puts them up for sealing."""
    return _INSERT_AUDIT, (
        now,
        actor.person_id if actor else None,
        actor.session_id or None if actor else None,
        current_trace_id(),
        [note.id for note in notes],
        [note.action for note in notes],
        [note.object_id for note in notes],
        [note.subject_id for note in notes],
        [note.information_class for note in notes],
        [note.before for note in notes],
        [note.after for note in notes],
    )


def save_events(events: Sequence[OutgoingEvent]) -> tuple[str, Sequence[Any]]:
    """The statement that puts `events` into the outbox in their order."""
    return _INSERT_OUTBOX, (
        events[0].traceparent,
        [event.event_id for event in events],
        [event.subject for event in events],
        [event.type for event in events],
        [event.payload for event in events],
    )
