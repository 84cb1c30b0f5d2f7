"""Everything about a running stack in one JSON object, for tests and partners: `make info`."""

import json
from typing import Any

from komustack import demo, oneroster, postgres, services
from komustack.stack import SERVICES, Stack


def information(stack: Stack) -> dict[str, Any]:
    return {
        "stack": stack.name,
        "home": str(stack.home),
        "portal": stack.portal_url,
        "identity": {
            "url": stack.identity_url,
            "realm": stack.realm,
            "issuer": stack.issuer,
            "clients": {
                name: stack.secret(f"client-{name}")
                for name in ("portal", "portal-exchange", "komu-admin", *_services_that_exchange(stack))
            },
        },
        "accounts": [
            {
                "username": person.username,
                "password": demo.password(stack, person.username),
                "otp_secret": _otp_secret(stack, person),
                "name": person.name,
                "role": person.role,
                "board": person.board.tenant,
                "school": person.school.code if person.school else None,
                "person_id": str(person.person_id),
            }
            for person in demo.accounts(stack.name)
        ],
        "services": {name: _service(stack, name) for name in SERVICES if services.exists(name)},
        "oneroster": [oneroster.client(stack, board) for board in demo.boards_of(stack.name)],
        "lrs": _record_store(stack),
        "lti_tool": stack.lti_tool_url,
        "lti": _lti(stack),
        "exchange": {
            "base_url": stack.exchange_url,
            "organisations": services.organisations(stack),
            "organisation": services.organisations(stack)[0]["id"],
            "directory": str(stack.directory / "directory.json"),
            "operator": str(stack.directory / "operator.public.json"),
            "ca_bundle": str(stack.exchange_ca_file),
        },
        "nats": {"url": stack.nats_url, "identity": "operator"},
        "databases": {name: postgres.url(stack, name, f"{name}_app") for name in SERVICES},
        "database_owners": {name: postgres.url(stack, name, f"{name}_owner") for name in SERVICES},
        "certificates": {
            "ca": str(stack.ca_file),
            "folder": str(stack.certs),
            "files": "<identity>.crt, <identity>.key",
        },
        "logs": str(stack.logs),
    }


def _record_store(stack: Stack) -> dict[str, Any]:
    """Where xAPI is spoken and with which client; None for key and secret while the clients are not registered."""
    file = stack.learning_demo / "clients.json"
    clients = json.loads(file.read_text()) if file.exists() else []
    first = clients[0] if clients else {"username": None, "password": None}
    return {
        "base_url": f"{stack.learning_url}/xapi",
        "username": first["username"],
        "password": first["password"],
        "token_url": f"{stack.learning_url}/oauth2/token",
        "clients": clients,
    }


def _lti(stack: Stack) -> dict[str, Any] | None:
    """The learning tool that `make up` registered for the first board: what both sides know; None before."""
    file = stack.learning_demo / "lti.json"
    return json.loads(file.read_text()) if file.exists() else None


def _otp_secret(stack: Stack, person: demo.Account) -> str | None:
    """Base32, as authenticator apps take it; None for those who have no second factor."""
    issued = (stack.home / "secrets" / f"otp-{person.username}").exists()
    return demo.otp_secret_base32(stack, person.username) if person.second_factor or issued else None


def _services_that_exchange(stack: Stack) -> list[str]:
    return [
        name.name.removeprefix("client-")
        for name in sorted((stack.home / "secrets").glob("client-*"))
        if name.name.removeprefix("client-") in SERVICES and name.name != "client-portal"
    ]


def _service(stack: Stack, name: str) -> dict[str, str]:
    found = {
        "grpc": f"127.0.0.1:{stack.port(f'{name}_grpc')}",
        "health": f"http://127.0.0.1:{stack.port(f'{name}_health')}",
    }
    if name == "portal":
        found["http"] = stack.portal_url
        del found["grpc"]
    if name == "dataexchange":
        found["http"] = stack.exchange_url
    if name == "learning":
        found["http"] = stack.learning_url
    return found
