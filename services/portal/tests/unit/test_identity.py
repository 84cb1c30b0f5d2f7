"""Tokens are believed only when the provider signed them, for us, now, and for this sign-in."""

import time
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from portal.identity import IdentityAway, IdentityProvider, SignInRefused, pkce_challenge

ISSUER = "http://id.example/realms/komu"
PERSON = "0190a0a0-0000-4000-8000-000000000001"
KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "one"})


def claims(**more):
    now = int(time.time())
    base = {
        "iss": ISSUER,
        "sub": "s",
        "aud": "portal",
        "iat": now,
        "exp": now + 300,
        "sid": "session-1",
        "nonce": "n",
        "tenant": "aozora",
        "person": PERSON,
        "preferred_username": "aozora.es.teacher1",
        "family_name": "髙橋",
        "given_name": "担子",
        "realm_access": {"roles": ["teacher"]},
        "loa": {"1": now},
    }
    return {k: v for k, v in (base | more).items() if v is not None}


def signed(key=KEY, **more):
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims(**more), key)


def provider(id_token=None, access=None, *, status=200):
    def answer(request):
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(
                200,
                json={
                    "issuer": ISSUER,
                    "jwks_uri": f"{ISSUER}/certs",
                    "token_endpoint": f"{ISSUER}/token",
                    "authorization_endpoint": f"{ISSUER}/auth",
                    "end_session_endpoint": f"{ISSUER}/logout",
                },
            )
        if request.url.path.endswith("certs"):
            return httpx.Response(200, json={"keys": [KEY.as_dict(private=False) | {"use": "sig", "alg": "RS256"}]})
        if status != 200:
            return httpx.Response(status, json={"error": "invalid_grant"})
        tokens = {"access_token": access or signed(), "refresh_token": "r", "id_token": id_token or signed()}
        return httpx.Response(200, json=tokens | {"expires_in": 300})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return IdentityProvider(issuer=ISSUER, client_id="portal", client_secret="x", http=http)


async def exchange(one):
    return await one.exchange_code(code="c", redirect_uri="http://localhost/callback", verifier="v", nonce="n")


async def test_a_good_answer_tells_who_it_is():
    tokens, identity = await exchange(provider())
    assert identity.person_id == UUID(PERSON)
    assert identity.name == "髙橋 担子"
    assert identity.roles == {"teacher"}
    assert list(identity.levels) == [1]
    assert tokens.expires_at > datetime.now(UTC)


@pytest.mark.parametrize(
    "bad",
    [
        {"nonce": "other"},
        {"aud": "another-client"},
        {"iss": "http://evil.example"},
        {"exp": 1},
        {"nonce": None},
    ],
)
async def test_an_id_token_for_another_sign_in_is_refused(bad):
    with pytest.raises(SignInRefused):
        await exchange(provider(id_token=signed(**bad)))


async def test_a_forged_signature_is_refused():
    with pytest.raises(SignInRefused):
        await exchange(provider(id_token=signed(OTHER)))
    with pytest.raises(SignInRefused):
        await exchange(provider(access=signed(OTHER)))


async def test_an_unsigned_token_is_refused():
    head, body, _ = signed().split(".")
    with pytest.raises(SignInRefused):
        await exchange(provider(id_token=f"eyJhbGciOiJub25lIn0.{body}."))
    with pytest.raises(SignInRefused):
        await exchange(provider(id_token=f"{head}.{body}."))


async def test_an_access_token_of_somebody_else_is_refused():
    with pytest.raises(SignInRefused):
        await exchange(provider(access=signed(sub="other")))


@pytest.mark.parametrize("missing", ["person", "tenant"])
async def test_an_account_without_person_or_board_cannot_sign_in(missing):
    with pytest.raises(SignInRefused):
        await exchange(provider(id_token=signed(**{missing: None}), access=signed(**{missing: None})))


async def test_a_refusal_and_an_outage_are_told_apart():
    with pytest.raises(SignInRefused):
        await exchange(provider(status=400))
    with pytest.raises(IdentityAway):
        await exchange(provider(status=503))


async def test_the_authorization_request_uses_pkce_state_and_nonce():
    url = httpx.URL(
        await provider().authorization_url(
            redirect_uri="http://localhost/callback", state="st", nonce="no", verifier="ver", level=2
        )
    )
    assert url.params["code_challenge_method"] == "S256"
    assert url.params["code_challenge"] == pkce_challenge("ver")
    assert (url.params["state"], url.params["nonce"]) == ("st", "no")
    assert url.params["acr_values"] == "urn:komu:loa:2"
    assert "ver" not in url.params.values()


def test_pkce_challenge_is_that_of_rfc_7636_appendix_b():
    assert (
        pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}


async def test_a_logout_token_names_the_session_it_ends():
    token_id, _, session, subject = await provider().logout_subject(signed(nonce=None, jti="j", events=LOGOUT))
    assert (token_id, session, subject) == ("j", "session-1", "s")


@pytest.mark.parametrize(
    "bad",
    [
        {"events": {}},
        {"jti": None},
        {"nonce": "n"},
        {"aud": "another"},
        {"sid": None, "sub": None},
        {"exp": 1},
    ],
)
async def test_anything_else_is_no_logout_token(bad):
    with pytest.raises(SignInRefused):
        await provider().logout_subject(signed(**({"nonce": None, "jti": "j", "events": LOGOUT} | bad)))
