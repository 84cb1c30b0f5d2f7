"""Faults have a stack of their own: what they break, no other test stands on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import RunningStack, _given_or_started, started

__all__ = ["frail_stack"]


@pytest.fixture(scope="module")
def frail_stack() -> Iterator[RunningStack]:
    """The whole product, to be broken."""
    if os.environ.get("KOMU_TEST_STACK"):
        with _given_or_started() as running:
            yield running
    else:
        with started("faults") as running:
            yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A whole stack starts inside the first test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))
