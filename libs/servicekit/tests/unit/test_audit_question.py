"""What a page of the log is asked with: whole days in Japan, and the field that is wrong by name."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from komu.common.v1 import common_pb2
from servicekit.audit import question_of
from servicekit.errors import Invalid

PLACE = str(uuid4())


def test_both_days_belong_to_the_page():
    asked = question_of(common_pb2.ReadAuditRequest(school_id=PLACE, from_on="2026-11-01", to_on="2026-11-01"))
    assert asked.from_at == datetime(2026, 10, 31, 15, tzinfo=UTC)
    assert asked.to_at == datetime(2026, 11, 1, 15, tzinfo=UTC)
    assert asked.limit == 50


def test_what_is_empty_leaves_everything_in():
    asked = question_of(common_pb2.ReadAuditRequest(school_id=PLACE))
    assert (asked.subject_id, asked.from_at, asked.to_at, asked.kind) == (None, None, None, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("school_id", ""), ("subject_id", "x"), ("actor_id", "1"), ("kind", "both"), ("from_on", "2026-02-30"),
        ("to_on", "9999-12-31"), ("to_on", "20260401"), ("before_entry_id", "-"),
    ],
)  # fmt: skip
def test_the_wrong_field_is_named(field: str, value: str):
    with pytest.raises(Invalid) as refused:
        question_of(common_pb2.ReadAuditRequest(**{"school_id": PLACE, field: value}))
    assert [one.field for one in refused.value.violations] == [field]
