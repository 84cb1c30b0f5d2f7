"""The exchange keeps to the contract it publishes, whatever is sent: no failure of ours, only answers it announces."""

from __future__ import annotations

from typing import Any

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




@schemathesis.serializer("application/jose")
def as_it_is(_: Any, value: Any) -> bytes:
    """Compact JOSE is text; what stands in its place is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


OPERATIONS = [
    "GET /.well-known/komu-exchange",
    "GET /exchange/v1/directory",
    "GET /exchange/v1/schemas",
    "POST /exchange/v1/notices",
    "POST /exchange/v1/packages",
    "GET /exchange/v1/packages/{package_id}/receipts",
    "POST /exchange/v1/receipts",
]


@pytest.fixture(scope="module")
def published(stack: RunningStack) -> dict[str, Any]:
    """The operations of the contract as a stranger reads it, by method and path."""
    exchange = stack.info["exchange"]
    contract = schemathesis.openapi.from_url(
        f"{exchange['base_url']}/exchange/v1/openapi.json", verify=exchange["ca_bundle"]
    )
    return {operation.label: operation for operation in (found.ok() for found in contract.get_all_operations())}


def test_every_operation_of_the_contract_is_tried(published: dict[str, Any]) -> None:
    assert sorted(published) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_is_sent_is_answered_as_announced(
    published: dict[str, Any], stack: RunningStack, operation: str
) -> None:
    ca_bundle = stack.info["exchange"]["ca_bundle"]

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=published[operation].as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(checks=PROMISES, verify=ca_bundle, timeout=10)

    send()
