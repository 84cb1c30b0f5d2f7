"""What is generated from the list of calls: subjects on the stream, audiences of tokens, doors of the database."""

from pathlib import Path

import pytest
from komustack import nats
from komustack.calls import Calls, read_calls
from komustack.realm import realm
from komustack.say import Problem
from komustack.stack import ROOT, SERVICES, Stack

CALLS = Calls(
    calls={"roster": {"portal": ["*"], "reports": ["GetClassRoster"]}, "reports": {"portal": ["*"]}},
    events={"roster": ["reports"], "reports": []},
)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack("trial", tmp_path, 20_000)


def test_a_producer_publishes_into_its_own_stream_only() -> None:
    allowed = nats.permissions("roster", CALLS)["publish"]["allow"]
    assert [subject for subject in allowed if not subject.startswith("$JS")] == ["roster.v1.>"]


def test_a_consumer_reads_the_streams_it_is_listed_for_through_its_own_durable() -> None:
    allowed = nats.permissions("reports", CALLS)["publish"]["allow"]
    assert "$JS.API.CONSUMER.MSG.NEXT.roster.reports" in allowed
    assert "$JS.ACK.roster.reports.>" in allowed
    assert "$JS.API.STREAM.MSG.GET.roster" in allowed  # a dead letter names its place in the stream
    assert not [subject for subject in nats.permissions("roster", CALLS)["publish"]["allow"] if "CONSUMER" in subject]


def test_nobody_listens_to_another_ones_answers_or_makes_streams() -> None:
    for service in SERVICES:
        granted = nats.permissions(service, CALLS)
        assert granted["subscribe"]["allow"] == [f"_INBOX.{service}.>"]
        assert not [subject for subject in granted["publish"]["allow"] if "STREAM.CREATE" in subject]


def test_every_service_of_the_real_list_has_a_database_door() -> None:
    doors = (ROOT / "infra/postgres/pg_hba.conf").read_text()
    calls = read_calls(ROOT / "infra/calls.yaml")
    assert set(calls.services) <= set(SERVICES)
    for service in SERVICES:
        assert f"{service}_owner,{service}_app" in doors
    lines = [line for line in doors.splitlines() if line and not line.startswith("#")]
    assert all(line.startswith("hostssl") and line.endswith("cert") for line in lines)


def test_the_realm_gives_each_caller_its_callees_and_no_more(stack: Stack) -> None:
    clients = {client["clientId"]: client for client in realm(stack, CALLS)["clients"]}
    assert clients["portal-exchange"]["optionalClientScopes"] == ["reports", "roster"]
    assert clients["reports"]["optionalClientScopes"] == ["roster"]
    assert clients["roster"]["bearerOnly"] is True
    assert clients["portal"]["optionalClientScopes"] == []
    assert not [name for name, client in clients.items() if client.get("directAccessGrantsEnabled")]


def test_no_required_action_of_the_realm_makes_a_credential(stack: Stack) -> None:
    enabled = {action["alias"] for action in realm(stack, CALLS)["requiredActions"] if action["enabled"]}
    assert enabled == {"UPDATE_PASSWORD", "update_user_locale"}


def test_secrets_are_made_once_and_differ(stack: Stack) -> None:
    assert stack.secret("one") == stack.secret("one")
    assert stack.secret("one") != stack.secret("two")


def test_a_damaged_list_of_calls_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "calls.yaml"
    broken.write_text("calls: [")
    with pytest.raises(Problem, match=r"calls\.yaml を読めません"):
        read_calls(broken)
