"""The administrator's one-time act: issuing a second factor to a person whose identity was checked.

People cannot enrol one themselves (`komustack.realm`): an administrator makes it and hands it over in person."""

import base64
import json
from urllib.parse import quote

from keycloak import KeycloakAdmin
from keycloak.exceptions import KeycloakConnectionError

from komustack import demo
from komustack.say import Problem
from komustack.stack import Stack


def issue(stack: Stack, username: str) -> str:
    """Gives the account a fresh one-time-code secret. Returns the address that authenticator apps take (as a QR code).

    Raises: Problem, when there is no such account or it holds a second factor already."""
    admin = KeycloakAdmin(
        server_url=stack.identity_url,
        realm_name=stack.realm,
        client_id="komu-admin",
        client_secret_key=stack.secret("client-komu-admin"),
    )
    try:
        found = admin.get_users({"username": username, "exact": True})
    except KeycloakConnectionError as error:
        raise Problem(
            f"Keycloak({stack.identity_url})から応答がありません。make status で確かめてください。",
            f"Keycloak does not answer at {stack.identity_url}: look at make status.",
        ) from error
    if not found:
        raise Problem(
            f"利用者「{username}」はいません。make info の accounts から選んでください。",
            f"There is no account {username!r}: choose one from accounts in make info.",
        )
    (person,) = found
    if any(credential["type"] == "otp" for credential in admin.get_credentials(person["id"])):
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
    admin.update_user(person["id"], person | {"credentials": [credential]})
    secret = base64.b32encode(raw.encode()).decode()
    return f"otpauth://totp/Komu:{quote(username)}?secret={secret}&issuer=Komu&digits=6&period=30"

