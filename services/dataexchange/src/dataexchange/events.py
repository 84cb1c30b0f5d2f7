"""What dataexchange tells: facts with ids and dates only."""

from komu.common.v1.common_pb2 import EventMeta
from komu.dataexchange.v1 import events_pb2

from dataexchange.domain.transfers import Arrival, Transfer


def _meta(aggregate_id: object, version: int) -> EventMeta:
    return EventMeta(aggregate_id=str(aggregate_id), aggregate_version=version)


def transfer_sent(transfer: Transfer) -> events_pb2.TransferSent:
    return events_pb2.TransferSent(
        meta=_meta(transfer.id, transfer.version), transfer_id=str(transfer.id), pupil_id=str(transfer.pupil_id)
    )


def transfer_accepted(transfer: Transfer) -> events_pb2.TransferAccepted:
    """roster closes 転学 with both dates: the day it left, and the day before the acceptance."""
    assert transfer.accepted_on is not None
    return events_pb2.TransferAccepted(
        meta=_meta(transfer.id, transfer.version), transfer_id=str(transfer.id), pupil_id=str(transfer.pupil_id),
        left_on=transfer.left_on.isoformat(), accepted_on=transfer.accepted_on.isoformat(),
        counterpart_name=transfer.destination.name, counterpart_address=transfer.destination.school_address,
    )  # fmt: skip


def transfer_ended(transfer: Transfer) -> events_pb2.TransferEnded:
    return events_pb2.TransferEnded(
        meta=_meta(transfer.id, transfer.version), transfer_id=str(transfer.id), pupil_id=str(transfer.pupil_id),
        state=str(transfer.state),
    )  # fmt: skip


def arrival_accepted(arrival: Arrival) -> events_pb2.ArrivalAccepted:
    assert arrival.accepted_on is not None
    return events_pb2.ArrivalAccepted(
        meta=_meta(arrival.id, arrival.version), arrival_id=str(arrival.id), pupil_id=str(arrival.pupil_id),
        school_id=str(arrival.school_id), accepted_on=arrival.accepted_on.isoformat(),
    )  # fmt: skip
