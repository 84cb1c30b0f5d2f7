"""A realm made by an earlier version is noticed, one of this version is left alone."""

import json
from pathlib import Path

import pytest
from komustack import keycloak, realm_changes
from komustack.calls import read_calls
from komustack.realm import realm
from komustack.stack import ROOT, Stack, open_stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("KOMU_HOME", str(tmp_path))
    made = open_stack("main")
    keycloak.realm_file(made).parent.mkdir(parents=True)
    return made


def test_without_a_realm_there_is_nothing_to_change(stack: Stack) -> None:
    realm_changes.note(stack, read_calls(ROOT / "infra" / "calls.yaml"))
    assert not realm_changes.due(stack).exists()


@pytest.mark.parametrize("part", ["clients", "clientScopes", ""])
def test_a_realm_that_lacks_something_is_noticed(stack: Stack, part: str) -> None:
    document = realm(stack, read_calls(ROOT / "infra" / "calls.yaml"))
    if part:
        document[part] = document[part][:-1]
    keycloak.realm_file(stack).write_text(json.dumps(document))
    realm_changes.note(stack, read_calls(ROOT / "infra" / "calls.yaml"))
    assert realm_changes.due(stack).exists() is bool(part)
