"""What a newer version adds to the realm of a stack that was made before: roles, scopes, clients, rights.

Keycloak imports a realm once and no account may change its clients (`komustack.realm`). So Keycloak is stopped, its own
command makes a temporary administrator (keycloak.org, "Bootstrapping and recovering an admin account"), the missing
parts are entered through python-keycloak, and that administrator is removed. People and what was set by hand stay."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keycloak import KeycloakAdmin

from komustack import keycloak
from komustack.calls import Calls
from komustack.realm import realm
from komustack.say import Problem, say
from komustack.stack import Stack

_TEMPORARY = "komu-realm-changes"
_COMPARED = ("roles", "clientScopes", "clients")
_SCOPES = ("defaultClientScopes", "optionalClientScopes")

Json = dict[str, Any]


def note(stack: Stack, calls: Calls) -> None:
    """Before the realm file is written anew: remembers that the realm Keycloak holds was made from another one."""
    file = keycloak.realm_file(stack)
    if not file.exists() or keycloak.is_external():
        return
    before, now = json.loads(file.read_text()), realm(stack, calls)
    if any(before.get(part) != now[part] for part in _COMPARED):
        due(stack).touch()


def apply(stack: Stack, calls: Calls, stop: Callable[[], None], start: Callable[[], None]) -> None:
    """Brings the realm to this version if `note` found it older. `stop` and `start` end and begin Keycloak.

    Broken off in the middle it is done again at the next start. Raises: Problem."""
    if not due(stack).exists():
        return
    say("サインインの設定を新しい版に合わせています", "bringing the realm to this version")
    secret = stack.secret("realm-changes")
    stop()
    _make_administrator(stack, secret)
    start()
    administrator = KeycloakAdmin(
        server_url=stack.identity_url,
        realm_name=stack.realm,
        user_realm_name="master",
        client_id=_TEMPORARY,
        client_secret_key=secret,
    )
    add_what_is_missing(administrator, realm(stack, calls))
    administrator.change_current_realm("master")
    administrator.delete_client(_by_name(administrator.get_clients(), "clientId")[_TEMPORARY]["id"])
    due(stack).unlink()


def add_what_is_missing(administrator: KeycloakAdmin, wanted: Json) -> None:
    """Enters into the administrator's realm what `wanted` (a realm file) has beyond it; takes nothing away."""
    for role in wanted["roles"]["realm"]:
        administrator.create_realm_role(role, skip_exists=True)
    scopes = _by_name(administrator.get_client_scopes(), "name")
    for scope in wanted["clientScopes"]:
        if scope["name"] not in scopes:
            administrator.create_client_scope(scope)
    scopes = _by_name(administrator.get_client_scopes(), "name")
    clients = _by_name(administrator.get_clients(), "clientId")
    for client in wanted["clients"]:
        there = clients.get(client["clientId"])
        if there is None:
            administrator.create_client(client)
            continue
        plain = {name: value for name, value in client.items() if name not in (*_SCOPES, "protocolMappers")}
        attributes = there.get("attributes", {}) | client.get("attributes", {})
        administrator.update_client(there["id"], there | plain | {"attributes": attributes})
        for kind, add in (
            ("defaultClientScopes", administrator.add_client_default_client_scope),
            ("optionalClientScopes", administrator.add_client_optional_client_scope),
        ):
            for name in set(client.get(kind, ())) - set(there.get(kind, ())):
                add(there["id"], scopes[name]["id"], {})
    _grant_rights(administrator, wanted)


def _grant_rights(administrator: KeycloakAdmin, wanted: Json) -> None:
    """Rights of service accounts in the realm's own administration."""
    clients = _by_name(administrator.get_clients(), "clientId")
    for person in wanted["users"]:
        if "serviceAccountClientId" not in person:
            continue
        account = administrator.get_client_service_account_user(clients[person["serviceAccountClientId"]]["id"])
        for client, rights in person["clientRoles"].items():
            known = _by_name(administrator.get_client_roles(clients[client]["id"]), "name")
            administrator.assign_client_role(account["id"], clients[client]["id"], [known[right] for right in rights])


def _make_administrator(stack: Stack, secret: str) -> None:
    program = keycloak.program(stack)
    at = program.argv.index("start")
    argv = [*program.argv[:at], "bootstrap-admin", "service", "--optimized", "--no-prompt"]
    argv += [f"--client-id={_TEMPORARY}", "--client-secret:env=KOMU_TEMPORARY_SECRET"]
    ports = {
        "KC_HTTP_PORT": str(stack.port("keycloak")),
        "KC_HTTP_MANAGEMENT_PORT": str(stack.port("keycloak_management")),  # else 9000, which may be somebody's
    }
    env = {**os.environ, **program.env, **ports, "KOMU_TEMPORARY_SECRET": secret}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    log = stack.logs / "realm-changes.log"
    log.write_text((done.stdout + done.stderr).replace(secret, "…"))
    if done.returncode and "already exists" not in done.stdout + done.stderr:
        raise Problem(
            f"サインインの設定を新しい版に合わせられませんでした。記録 {log} を確かめて、"
            "もう一度 make up を実行してください。",
            f"The realm could not be brought to this version: see {log}, then run make up again.",
        )


def due(stack: Stack) -> Path:
    """The mark that the realm is older than this version."""
    return stack.home / "realm-changes-due"


def _by_name(found: list[Json], name: str) -> dict[str, Json]:
    return {one[name]: one for one in found}
