"""Inbound events: what became of a child's transfer to another board."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from komu.dataexchange.v1 import events_pb2
from servicekit.db import Transaction
from servicekit.events import consumer

from roster.usecases import enrolment


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


CONSUMERS = (on_transfer_accepted, on_transfer_ended)
