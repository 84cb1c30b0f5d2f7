"""A whole stack for a test session: started in a folder of its own on free ports, stopped and removed afterwards.

`KOMU_TEST_STACK=main` takes a stack of this checkout that runs already (quick while working on a journey)."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest

from tests.support.collector import Collector, collecting

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class RunningStack:
    """A running stack as `make info` tells it."""

    name: str
    home: Path
    info: dict[str, Any]
    _used_codes: set[tuple[str, str]] = field(default_factory=set)

    def account(self, username: str) -> dict[str, Any]:
        return next(dict(account) for account in self.info["accounts"] if account["username"] == username)

    def fresh_code(self, username: str) -> str:
        """A one-time code that was not used yet: a code is good once, and the neighbouring half minutes count too."""
        otp = pyotp.TOTP(self.account(username)["otp_secret"])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for window in (0, 1, -1):
                code = otp.at(int(time.time()), counter_offset=window)
                if (username, code) not in self._used_codes:
                    self._used_codes.add((username, code))
                    return code
            time.sleep(1)
        raise AssertionError(f"no unused code for {username} within a minute")

    def komu(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command of the stack, as the Makefile does."""
        return komu(self.home, *arguments, "--stack", self.name, check=check)


def komu(home: Path, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    """`python -m komustack …` with its state in `home`; downloads come from the checkout's `.komu/parts`."""
    parts = os.environ.get("KOMU_PARTS") or str(ROOT / ".komu" / "parts")
    done = subprocess.run(
        [sys.executable, "-m", "komustack", *arguments],
        env={**os.environ, "KOMU_HOME": str(home), "KOMU_PARTS": parts, **more},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )
    if check and done.returncode:
        raise AssertionError(
            f"komustack {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done


@contextlib.contextmanager
def folder_for_stacks() -> Iterator[Path]:
    """A folder that the database's unprivileged user can enter too (pytest's own folders are closed to others)."""
    home = Path(tempfile.mkdtemp(prefix="komu-test-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def started(name: str, *options: str, home: Path | None = None, **environment: str) -> Iterator[RunningStack]:
    """Starts a stack and stops it at the end."""
    with contextlib.ExitStack() as stack:
        folder = home or stack.enter_context(folder_for_stacks())
        try:
            komu(folder, "up", "--stack", name, *options, **environment)
            yield RunningStack(name, folder, json.loads(komu(folder, "info", "--stack", name).stdout))
        finally:
            komu(folder, "down", "--stack", name, check=False)


@contextlib.contextmanager
def _given_or_started(*options: str, **environment: str) -> Iterator[RunningStack]:
    if name := os.environ.get("KOMU_TEST_STACK"):
        home = Path(os.environ.get("KOMU_HOME") or ROOT / ".komu")
        yield RunningStack(name, home, json.loads(komu(home, "info", "--stack", name).stdout))
    else:
        with started("e2e", *options, **environment) as running:
            yield running


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the session's stack sends its traces."""
    with collecting() as running:
        yield running


@pytest.fixture(scope="session")
def stack(collector: Collector) -> Iterator[RunningStack]:
    """The whole product with its two demo boards."""
    with _given_or_started(KOMU_OTLP_ENDPOINT=collector.address) as running:
        yield running


@pytest.fixture(scope="session")
def stack_parts() -> Iterator[RunningStack]:
    """PostgreSQL, NATS and Keycloak without the services: ready in seconds."""
    with _given_or_started("--only", "parts") as running:
        yield running
