"""The administrator's one-time act: issuing a second factor to a person whose identity was checked.

People cannot enrol one themselves (`komustack.realm`): an administrator makes it and hands it over in person."""

import base64
import json
from urllib.parse import quote

import httpx

from komustack import demo
from komustack.say import Problem
from komustack.stack import Stack


def issue(stack: Stack, username: str) -> str:
    """Gives the account a fresh one-time-code secret. Returns the address that authenticator apps take (as a QR code).

    Raises: Problem, when there is no such account or it holds a second factor already."""
    with _admin(stack) as admin:
        found = admin.get("users", params={"username": username, "exact": "true"}).json()
        if not found:
            raise Problem(
                f"利用者「{username}」はいません。make info の accounts から選んでください。",
                f"There is no account {username!r}: choose one from accounts in make info.",
            )
        (person,) = found
        held = admin.get(f"users/{person['id']}/credentials").json()
        if any(credential["type"] == "otp" for credential in held):
            raise Problem(
                f"「{username}」にはすでに二つ目の要素が登録されています。",
                f"{username} already has a second factor.",
            )
        raw = demo.otp_secret(stack, username)
        credential = {
            "type": "otp",
            "userLabel": "ワンタイムコード",
            "secretData": json.dumps({"value": raw}),
            "credentialData": json.dumps({"subType": "totp", "digits": 6, "period": 30, "algorithm": "HmacSHA1"}),
        }
        # the whole representation goes back: Keycloak erases what a partial one leaves out
        admin.put(f"users/{person['id']}", json=person | {"credentials": [credential]}).raise_for_status()
    secret = base64.b32encode(raw.encode()).decode()
    return f"otpauth://totp/Komu:{quote(username)}?secret={secret}&issuer=Komu&digits=6&period=30"


def _admin(stack: Stack) -> httpx.Client:
    token = httpx.post(
        f"{stack.issuer}/protocol/openid-connect/token",
        data={"grant_type": "client_credentials"},
        auth=("komu-admin", stack.secret("client-komu-admin")),
    )
    token.raise_for_status()
    return httpx.Client(
        base_url=f"{stack.identity_url}/admin/realms/{stack.realm}/",
        headers={"Authorization": f"Bearer {token.json()['access_token']}"},
    )
