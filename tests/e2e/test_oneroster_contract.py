"""OneRoster REST keeps to the contracts it publishes, whatever is sent: no failure of ours, only announced answers."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.stack import RunningStack

PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SERVICES = {"rostering": ("rosters", 41), "gradebook": ("gradebook", 35), "resources": ("resources", 5)}


@pytest.fixture(scope="module")
def demo(stack: RunningStack) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in stack.info["oneroster"] if one["board"] == "hoshi")
    return found


@pytest.fixture(scope="module")
def client(demo: dict[str, Any]) -> Iterator[httpx.Client]:
    """One connection, signed in, to learn ids of objects that there are."""
    trusted = ssl.create_default_context(cafile=demo["ca_bundle"])
    with httpx.Client(verify=trusted, base_url=demo["base_url"]) as opened:
        credentials = (demo["client_id"], demo["client_secret"])
        answer = opened.post(demo["token_url"], data={"grant_type": "client_credentials"}, auth=credentials)
        opened.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield opened


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_is_sent_is_answered_as_announced(demo: dict[str, Any], client: httpx.Client, service: str) -> None:
    word, operations = SERVICES[service]
    path = f"/ims/oneroster/{service}/v1p2/discovery/onerosterv1p2{word}service_openapi3_v1p0.json"
    contract = schemathesis.openapi.from_url(demo["base_url"] + path, verify=demo["ca_bundle"])
    found = [one.ok() for one in contract.get_all_operations()]
    assert len(found) == operations
    headers = {"Authorization": client.headers["Authorization"]}
    ids = there(client)
    for operation in found:

        @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            case.call_and_validate(checks=PROMISES, headers=headers, verify=demo["ca_bundle"], timeout=10)

        send()
        if operation.method.upper() == "GET":
            case = operation.Case(path_parameters={name: ids.get(name, "none") for name in path_names(operation.path)})
            case.call_and_validate(checks=PROMISES, headers=headers, verify=demo["ca_bundle"], timeout=10)


def there(client: httpx.Client) -> dict[str, str]:
    """Ids for the names in paths, so that some answers have objects in them."""
    base = "/ims/oneroster/rostering/v1p2"
    names = {
        "classSourcedId": ("classes", "classes"), "schoolSourcedId": ("schools", "orgs"),
        "studentSourcedId": ("students", "users"), "teacherSourcedId": ("teachers", "users"),
        "userSourcedId": ("users", "users"), "courseSourcedId": ("courses", "courses"),
        "termSourcedId": ("academicSessions", "academicSessions"),
    }  # fmt: skip
    return {
        name: client.get(f"{base}/{path}", params={"limit": "1"}).json()[key][0]["sourcedId"]
        for name, (path, key) in names.items()
    }


def path_names(path: str) -> list[str]:
    return [step[1:-1] for step in path.split("/") if step.startswith("{")]
