"""Which service these tests are about."""

import pytest


@pytest.fixture(scope="session")
def service() -> str:
    return "learning"
