"""Inbound events: 学籍 starts the retention of what was issued."""

from datetime import date
from uuid import UUID

from komu.roster.v1 import events_pb2
from servicekit.db import Transaction
from servicekit.events import consumer

from reports.usecases import archives

_LEFT = frozenset({"graduated", "transferred_out", "withdrawn"})


@consumer(subject="roster.v1.enrolment_changed.*", message=events_pb2.EnrolmentChanged)
async def on_enrolment_changed(tx: Transaction, event: events_pb2.EnrolmentChanged) -> None:
    """A pupil's time on the roll ended (卒業・転学・退学), or its end was taken back.

    在学しない者 (居所不明) has neither graduated nor moved: no clock of 規則 28条 starts, the record stays.
    """
    told = event.enrolment
    ended = told.period.ends_on if told.left_by in _LEFT else ""
    await archives.pupil_left(
        tx, UUID(told.pupil_id), UUID(told.school_id), date.fromisoformat(ended) if ended else None
    )


@consumer(subject="roster.v1.enrolments_began.*", message=events_pb2.EnrolmentsBegan)
async def on_enrolments_began(tx: Transaction, event: events_pb2.EnrolmentsBegan) -> None:
    """A roster file put children on the roll of a school; some of them may be back."""
    await archives.pupils_came(
        tx, [UUID(pupil) for pupil in event.pupil_ids], UUID(event.school_id), date.fromisoformat(event.starts_on)
    )


CONSUMERS = (on_enrolment_changed, on_enrolments_began)
