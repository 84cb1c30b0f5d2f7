"""What an event looks like on its way: subject, id, headers. Pure; no connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from google.protobuf.message import Message

from servicekit.ids import uuid7
from servicekit.telemetry import current_traceparent

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FULL_NAME = re.compile(r"komu\.([a-z_]+)\.(v[0-9]+)\.([A-Za-z0-9]+)\Z")


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    event_id: UUID
    subject: str
    type: str
    payload: bytes
    traceparent: str | None


@lru_cache(maxsize=512)
def subject_of(full_name: str) -> str:
    """`komu.roster.v1.ClassRosterChanged` → `roster.v1.class_roster_changed` (the tenant follows as the last token).

    Raises ValueError for a name that is not `komu.<service>.<version>.<Event>`.
    """
    match = _FULL_NAME.match(full_name)
    if match is None:
        raise ValueError(f"{full_name} is not komu.<service>.<version>.<Event>")
    service, version, name = match.groups()
    return f"{service}.{version}.{_WORD_START.sub('_', name).lower()}"


def stamp(message: Message, tenant: str, now: datetime, actor_id: str) -> OutgoingEvent:
    """Completes `message.meta` and puts the event in its envelope. Raises ValueError without `meta.aggregate_id`."""
    descriptor = message.DESCRIPTOR
    if "meta" not in descriptor.fields_by_name:
        raise ValueError(f"{descriptor.full_name} has no meta")
    meta = message.meta  # type: ignore[attr-defined]
    if not meta.aggregate_id:
        raise ValueError(f"{descriptor.full_name} tells of nothing: meta.aggregate_id is empty")
    event_id = uuid7()
    meta.id = str(event_id)
    meta.tenant = tenant
    meta.occurred_at.FromDatetime(now)
    if actor_id:
        meta.actor_id = actor_id
    return OutgoingEvent(
        event_id,
        f"{subject_of(descriptor.full_name)}.{tenant}",
        descriptor.full_name,
        message.SerializeToString(deterministic=True),
        current_traceparent(),
    )


def headers_of(event: OutgoingEvent, source: str, time: datetime) -> dict[str, str]:
    """CloudEvents 1.0 in NATS headers (binary mode), the message id JetStream drops duplicates by, the trace."""
    headers = {
        "Nats-Msg-Id": str(event.event_id),
        "ce-specversion": "1.0",
        "ce-id": str(event.event_id),
        "ce-type": event.type,
        "ce-source": f"/komu/{source}",
        "ce-time": time.isoformat(),
        "content-type": "application/protobuf",
    }
    if event.traceparent:
        headers["traceparent"] = event.traceparent
    return headers
