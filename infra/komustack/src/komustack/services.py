"""The services of a stack: how each is started and which settings it reads. The one table of local settings."""

import base64
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from komustack import ca, demo, postgres
from komustack.calls import Calls
from komustack.stack import SERVICES, Stack
from komustack.supervise import Program

assert ca.IDENTITIES[: len(SERVICES)] == SERVICES

HANDED_ON = ("KOMU_OTLP_ENDPOINT", "KOMU_LOG_LEVEL")  # from the environment of `make up` to every service


def exists(service: str) -> bool:
    """Whether `python -m <service>` can be run."""
    try:
        return all(importlib.util.find_spec(f"{service}.{module}") is not None for module in ("__main__", "app"))
    except ModuleNotFoundError:
        return False


def present() -> list[str]:
    return [service for service in SERVICES if exists(service)]


def environment(stack: Stack, service: str, calls: Calls) -> dict[str, str]:
    """`ServiceSettings` of one running service. It never learns the owner's address, so it cannot change its tables."""
    env = {
        "KOMU_STACK": stack.name,
        "KOMU_SERVICE": service,
        "KOMU_DATABASE_URL": postgres.url(stack, service, f"{service}_app", "postgresql+psycopg"),
        "KOMU_NATS_URL": stack.nats_url,
        "KOMU_TLS_CERT": str(stack.cert(service)),
        "KOMU_TLS_KEY": str(stack.key(service)),
        "KOMU_TLS_CA": str(stack.ca_file),
        "KOMU_GRPC_ADDRESS": f"127.0.0.1:{stack.port(f'{service}_grpc')}",
        "KOMU_HEALTH_ADDRESS": f"127.0.0.1:{stack.port(f'{service}_health')}",
        "KOMU_IDENTITY_ISSUER": stack.issuer,
        "KOMU_IDENTITY_JWKS_URL": f"{stack.issuer}/protocol/openid-connect/certs",
        "KOMU_IDENTITY_TOKEN_URL": f"{stack.issuer}/protocol/openid-connect/token",
        "KOMU_CALLS_FILE": str(stack.calls_file),
        "KOMU_SERVICE_ADDRESSES": json.dumps(
            {name: f"127.0.0.1:{stack.port(f'{name}_grpc')}" for name in SERVICES if name != "portal"}
        ),
        "PYTHONUNBUFFERED": "1",
    }
    if calls.callees_of(service):
        client = "portal-exchange" if service == "portal" else service
        env["KOMU_EXCHANGE_CLIENT_ID"] = client
        env["KOMU_EXCHANGE_CLIENT_SECRET"] = stack.secret(f"client-{client}")
    handed_on = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    return env | handed_on | _ONLY_OF.get(service, _nothing)(stack)


def migration_environment(stack: Stack, service: str, calls: Calls) -> dict[str, str]:
    """As the running service, with the owner's address in addition."""
    owner = postgres.url(stack, service, f"{service}_owner", "postgresql+psycopg")
    return environment(stack, service, calls) | {"KOMU_MIGRATION_URL": owner}


def _nothing(stack: Stack) -> dict[str, str]:
    return {}


def _portal(stack: Stack) -> dict[str, str]:
    return {
        "KOMU_HTTP_ADDRESS": f"127.0.0.1:{stack.port('portal')}",
        "KOMU_PORTAL_URL": stack.portal_url,
        "KOMU_OIDC_CLIENT_ID": "portal",
        "KOMU_OIDC_CLIENT_SECRET": stack.secret("client-portal"),
        "KOMU_SESSION_KEY": _fernet_key(stack.secret("portal-session")),
    }


def _dataexchange(stack: Stack) -> dict[str, str]:
    return {
        "KOMU_HTTP_ADDRESS": f"127.0.0.1:{stack.port('exchange')}",
        "KOMU_EXCHANGE_PUBLIC_URL": stack.exchange_url,
        "KOMU_ORGANISATIONS": json.dumps(organisations(stack), ensure_ascii=False),
        "KOMU_DIRECTORY_FILE": str(stack.directory / "directory.json"),
        "KOMU_DIRECTORY_OPERATOR_FILE": str(stack.directory / "operator.public.json"),
        "KOMU_EXCHANGE_CA_BUNDLE": str(stack.exchange_ca_file),
        "KOMU_HTTP_TLS_CERT": str(stack.cert("exchange")),
        "KOMU_HTTP_TLS_KEY": str(stack.key("exchange")),
        "KOMU_ADMIN_CLIENT_ID": "komu-admin",
        "KOMU_ADMIN_CLIENT_SECRET": stack.secret("client-komu-admin"),
    }


def _learning(stack: Stack) -> dict[str, str]:
    return {
        "KOMU_HTTP_ADDRESS": f"127.0.0.1:{stack.port('learning')}",
        "KOMU_LEARNING_URL": stack.learning_url,
        "KOMU_PORTAL_URL": stack.portal_url,
        "KOMU_LTI_KEY": _fernet_key(stack.secret("learning-lti")),
        "KOMU_LTI_LOCAL_TOOLS": "true",
    }


_ONLY_OF: dict[str, Callable[[Stack], dict[str, str]]] = {
    "portal": _portal,
    "dataexchange": _dataexchange,
    "learning": _learning,
}


def signing_key(stack: Stack, board: demo.Board) -> Path:
    """Private keys (signing and sealing) of a board, made by the product's own command."""
    return stack.home / "exchange-keys" / f"{board.tenant}.json"


def organisations(stack: Stack) -> list[dict[str, str]]:
    """Who this deployment speaks for towards others: its boards with the files of their private keys."""
    return [
        {
            "tenant": board.tenant,
            "id": board.organisation,
            "name": board.name,
            "key_file": str(signing_key(stack, board)),
        }
        for board in demo.boards_of(stack.name)
    ]


def _fernet_key(secret: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode()


def program(stack: Stack, service: str, calls: Calls) -> Program:
    return Program(
        service, [sys.executable, "-m", service, "serve"], env=environment(stack, service, calls), stop_wait_s=20
    )


def renewer(stack: Stack) -> Program:
    env = {"KOMU_HOME": str(stack.komu), "KOMU_PARTS": str(stack.parts)}
    return Program("renewer", [sys.executable, "-m", "komustack", "renew", "--stack", stack.name], env=env)
