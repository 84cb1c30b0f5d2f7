"""Which service these tests are about."""

import pytest

pytest_plugins = ["servicekit.testing"]


@pytest.fixture(scope="session")
def service() -> str:
    return "dataexchange"
