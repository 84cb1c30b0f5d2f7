"""Stored events of dataexchange must stay readable: what was told yesterday is in the stream tomorrow."""

from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict, Parse
from komu.dataexchange.v1 import events_pb2

SAMPLES = Path(__file__).parent / "samples"
EVENTS = sorted(events_pb2.DESCRIPTOR.message_types_by_name)


def test_every_event_has_a_sample():
    assert sorted(path.stem for path in SAMPLES.glob("*.json")) == EVENTS


@pytest.mark.parametrize("name", EVENTS)
def test_samples_decode_and_nothing_in_them_is_lost(name: str):
    message = Parse((SAMPLES / f"{name}.json").read_text(), getattr(events_pb2, name)())
    again = getattr(events_pb2, name)()
    again.ParseFromString(message.SerializeToString())
    assert MessageToDict(again) == MessageToDict(message)
    assert message.meta.aggregate_id
    assert message.meta.aggregate_version > 0
