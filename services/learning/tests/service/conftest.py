"""Learning's real server on real PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest_asyncio
from learning.app import build
from learning.settings import Settings
from servicekit.testing import RunningService


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(grpc_service: Callable[..., Awaitable[RunningService]]) -> RunningService:
    return await grpc_service(build, settings=Settings)
