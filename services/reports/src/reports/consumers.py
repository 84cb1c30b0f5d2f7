"""Inbound events: 学籍 starts the retention of what was issued."""

from datetime import date
from uuid import UUID

from komu.roster.v1 import events_pb2
from servicekit.db import Transaction
from servicekit.events import consumer

from reports.usecases import archives


@consumer(subject="roster.v1.enrolment_changed.*", message=events_pb2.EnrolmentChanged)
async def on_enrolment_changed(tx: Transaction, event: events_pb2.EnrolmentChanged) -> None:
    """A pupil's time on the roll ended (卒業・転学・退学), or its end was taken back."""
    told = event.enrolment
    ended = told.period.ends_on if told.left_by else ""
    await archives.pupil_left(
        tx, UUID(told.pupil_id), UUID(told.school_id), date.fromisoformat(ended) if ended else None
    )


CONSUMERS = (on_enrolment_changed,)
