"""People who work over gRPC: signed in at the real Keycloak, their token exchanged for each service."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import grpc
from komustack.stack import Stack, open_stack
from servicekit.grpc.status import error_of

from tests.support.signing_in import Browser
from tests.support.stack import RunningStack

S = TypeVar("S")


def stack_files(running: RunningStack) -> Stack:
    """The stack's own state: certificates, logs, ports."""
    os.environ["KOMU_HOME"] = str(running.home)
    return open_stack(running.name)


@cache
def _channel(address: str, certificates: str) -> grpc.Channel:
    def read(name: str) -> bytes:
        with open(f"{certificates}/{name}", "rb") as file:
            return file.read()

    credentials = grpc.ssl_channel_credentials(read("ca.pem"), read("portal.key"), read("portal.crt"))
    options = [("grpc.max_reconnect_backoff_ms", 500), ("grpc.initial_reconnect_backoff_ms", 100)]
    return grpc.secure_channel(address, credentials, options)


class Person:
    """One member of staff. Calls raise `servicekit.errors`; a lost connection raises `grpc.RpcError`."""

    def __init__(self, running: RunningStack, username: str, *, level: int = 1) -> None:
        self._running = running
        self._browser = Browser(running)
        outcome = self._browser.sign_in(username, level)
        if not outcome.tokens:
            self.close()
            raise AssertionError(f"{username} could not sign in: {outcome}")
        self._tokens = outcome.tokens
        self._exchanged: dict[str, str] = {}
        self.claims = outcome.claims

    def token(self, service: str) -> str:
        """A token for `service`'s audience."""
        if service not in self._exchanged:
            answer = self._browser.exchange(self._tokens["access_token"], service)
            answer.raise_for_status()
            self._exchanged[service] = answer.json()["access_token"]
        return self._exchanged[service]

    def renew(self) -> None:
        """Refreshes the session, as the portal does before a token ends."""
        answer = self._browser.refresh(self._tokens)
        answer.raise_for_status()
        self._tokens = answer.json()
        self._exchanged.clear()

    def call(self, stub_class: Callable[[grpc.Channel], S], service: str, method: str, request: Any) -> Any:
        """One RPC with a deadline of 5 seconds."""
        address = self._running.info["services"][service]["grpc"]
        stub = stub_class(_channel(address, str(stack_files(self._running).certs)))
        metadata = (("authorization", f"Bearer {self.token(service)}"),)
        try:
            return getattr(stub, method)(request, metadata=metadata, timeout=5)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise
            raise error_of(error) from error

    def close(self) -> None:
        """Ends the browser."""
        self._browser.close()
