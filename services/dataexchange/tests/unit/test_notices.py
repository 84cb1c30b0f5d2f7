"""The document of a notice: enough to find a child, one spelling, nothing unknown."""

import pytest
from dataexchange.domain import jose, notices
from dataexchange.domain.notices import Child, NoticeState
from dataexchange.domain.refusals import Code, Refusal
from servicekit.errors import Conflict

from services.dataexchange.tests.unit.exchange_world import uuid7

BY_NAME = {
    "name": {"family": "髙﨑", "given": "𠮷子"},
    "kana": {"family": "タカサキ", "given": "ヨシコ"},
    "born_on": "2018-01-15",
}


def stated(**changed) -> dict:
    party = {"organisation": "board:479901", "name": "青空市教育委員会"}
    return {
        "spec": "1.0", "notice_id": str(uuid7()), "accepted_on": "2026-12-01", "created_at": "2026-11-21T00:00:00Z",
        "sender": {**party, "school": {"code": "B1", "name": "青空小学校", "address": ""}},
        "receiver": {**party, "organisation": "board:479903"}, "child": BY_NAME,
    } | changed  # fmt: skip


def written(**changed) -> bytes:
    value = stated(**changed)
    filled = notices.Document.model_validate(value)
    return notices.to_bytes(filled)


@pytest.mark.parametrize("child", [BY_NAME, {"person_id": "0192f0c1-2f6b-7c33-8a51-0c0ffee00001"}])
def test_uuid_or_name_kana_and_birth_date(child):
    document = notices.parse(written(child=child))
    assert notices.to_bytes(document) == written(child=child, notice_id=document.notice_id)


@pytest.mark.parametrize(
    "changed",
    [
        {"child": {}}, {"child": {key: value for key, value in BY_NAME.items() if key != "kana"}},
        {"child": BY_NAME | {"address": "みらい県"}}, {"accepted_on": "2026-12-1"}, {"notice_id": "1"},
        {"spec": "2.0"}, {"reason": "転居"},
    ],
)  # fmt: skip
def test_what_does_not_follow_the_format(changed):
    with pytest.raises(Refusal) as refused:
        notices.parse(jose.canonical(stated(**changed)))
    assert refused.value.code == Code.NOTICE_INVALID
    assert "髙﨑" not in str(refused.value)


def test_only_one_spelling():
    data = written()
    for other in (data + b" ", data.replace(b'","', b'", "', 1)):
        with pytest.raises(Refusal):
            notices.parse(other)


def test_a_notice_names_the_school_that_asks():
    with pytest.raises(Refusal):
        notices.parse(written(sender={"organisation": "board:479901", "name": "青空市教育委員会"}))


def test_steps():
    assert notices.step(NoticeState.SENT, NoticeState.RECEIVED) == NoticeState.RECEIVED
    for ended in (NoticeState.ANSWERED, NoticeState.REFUSED):
        with pytest.raises(Conflict):
            notices.step(ended, NoticeState.RECEIVED)


def test_by_uuid_nothing_else_counts():
    assert Child(person_id="0192f0c1-2f6b-7c33-8a51-0c0ffee00001").born_on is None
