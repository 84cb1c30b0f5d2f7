"""Inbound events: what became of a child's transfer to another board; which rolls were taken."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from komu.attendance.v1 import events_pb2 as attendance_events
from komu.dataexchange.v1 import events_pb2
from servicekit.db import Transaction
from servicekit.events import consumer

from roster.usecases import enrolment, rollovers_publish


@consumer(subject="dataexchange.v1.transfer_accepted.*", message=events_pb2.TransferAccepted)
async def on_transfer_accepted(tx: Transaction, event: events_pb2.TransferAccepted) -> None:
    """The other side accepted the child: 転学 with both dates."""
    await enrolment.close_after_acceptance(
        tx, UUID(event.transfer_id), UUID(event.pupil_id), date.fromisoformat(event.left_on),
        date.fromisoformat(event.accepted_on), event.counterpart_name, event.counterpart_address,
    )  # fmt: skip


@consumer(subject="dataexchange.v1.transfer_ended.*", message=events_pb2.TransferEnded)
async def on_transfer_ended(tx: Transaction, event: events_pb2.TransferEnded) -> None:
    """Refused, expired or withdrawn: the child stays."""
    await enrolment.stay_after_end(tx, UUID(event.pupil_id), event.state)


@consumer(subject="attendance.v1.day_taken.*", message=attendance_events.DayTaken)
async def on_day_taken(tx: Transaction, event: attendance_events.DayTaken) -> None:
    """The roll of a class was taken: a published 年度更新 that made the class cannot be undone any more."""
    await rollovers_publish.note_attendance(tx, UUID(event.class_id), date.fromisoformat(event.on))


CONSUMERS = (on_transfer_accepted, on_transfer_ended, on_day_taken)
