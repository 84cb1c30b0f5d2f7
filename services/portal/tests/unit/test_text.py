"""How values read to people."""

from datetime import UTC, datetime
from types import SimpleNamespace

from google.protobuf.timestamp_pb2 import Timestamp
from portal import text


def test_days_and_moments_are_japanese():
    assert text.day("2026-11-21") == "2026年11月21日（土）"
    assert text.short_day("2026-04-07") == "4/7（火）"
    assert text.day("") == ""
    assert text.moment(datetime(2026, 11, 20, 15, 30, tzinfo=UTC)) == "2026年11月21日 00:30"
    stamp = Timestamp()
    stamp.FromDatetime(datetime(2026, 11, 21, 1, 42, tzinfo=UTC))
    assert text.moment(stamp) == "2026年11月21日 10:42"


def test_names_in_one_line():
    assert text.full_name(SimpleNamespace(family="髙橋", middle="", given="担子")) == "髙橋\u3000担子"
    assert text.full_name(SimpleNamespace(family="", middle="", given="ジョン")) == "ジョン"


def test_school_grades():
    assert text.school_grade("P3") == "小3"
    assert text.school_grade("J1") == "中1"
    assert text.school_grade("") == ""
