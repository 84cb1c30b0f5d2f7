"""The Keycloak realm of a stack, generated: levels of authentication, claims, one audience per service, token exchange.

Three rules hold here and are tried by `tests/stack/test_step_up_realm.py`:

- Level 2 is the second factor. A person who has none is refused, never invited to enrol: the password alone must not
  give out the second factor. The required action CONFIGURE_TOTP is off, because the browser's `kc_action` parameter
  would start it after the password; an administrator issues the second factor instead (`komustack.second_factor`).
- No client holds a token for a service by default: audiences are optional scopes, given by token exchange.
- `loa` (levels reached in this session with their instants) survives the exchange; `acr` does not.
"""

import json
from typing import Any

from komustack import demo, sign_in
from komustack.calls import Calls
from komustack.stack import Stack

ROLES = {
    "teacher": "教員",
    "vice_principal": "教頭・副校長",
    "principal": "校長",
    "office": "学校事務",
    "board_admin": "教育委員会",
    "operator": "県の運用担当",
}

Json = dict[str, Any]
_EVERYWHERE = {
    "access.token.claim": "true",
    "id.token.claim": "true",
    "introspection.token.claim": "true",
    "userinfo.token.claim": "true",
}
_ACCESS = {"access.token.claim": "true", "introspection.token.claim": "true"}


def realm(stack: Stack, calls: Calls) -> Json:
    people = demo.accounts(stack.name)
    return {
        "realm": stack.realm,
        "displayName": "校務",
        "enabled": True,
        "sslRequired": "external",
        "loginWithEmailAllowed": False,
        "registrationAllowed": False,
        "resetPasswordAllowed": False,
        "editUsernameAllowed": False,
        "internationalizationEnabled": True,
        "supportedLocales": ["ja", "en"],
        "defaultLocale": "ja",
        "loginTheme": "komu",
        "accessTokenLifespan": 300,
        "accessCodeLifespan": 60,
        "ssoSessionIdleTimeout": 1_800,
        "ssoSessionMaxLifespan": 36_000,
        "revokeRefreshToken": True,
        "refreshTokenMaxReuse": 0,
        "defaultSignatureAlgorithm": "RS256",
        "bruteForceProtected": True,
        "failureFactor": 10,
        "waitIncrementSeconds": 60,
        "maxFailureWaitSeconds": 900,
        "passwordPolicy": "length(12) and notUsername(undefined)",
        "otpPolicyType": "totp",
        "otpPolicyAlgorithm": "HmacSHA1",
        "otpPolicyDigits": 6,
        "otpPolicyPeriod": 30,
        "otpPolicyLookAheadWindow": 1,
        "otpPolicyCodeReusable": False,
        "webAuthnPolicyPasswordlessPasskeysEnabled": False,
        "eventsEnabled": True,
        "eventsExpiration": 7_776_000,
        "adminEventsEnabled": True,
        "attributes": {"acr.loa.map": json.dumps({f"urn:komu:loa:{level}": str(level) for level in (1, 2)})},
        "requiredActions": sign_in.required_actions(),
        "roles": {"realm": [{"name": name, "description": words} for name, words in ROLES.items()]},
        "clientScopes": _scopes(calls),
        "defaultDefaultClientScopes": _IDENTITY_SCOPES,
        "defaultOptionalClientScopes": [],
        "authenticationFlows": sign_in.flows(),
        "authenticatorConfig": sign_in.settings(),
        "browserFlow": "komu-browser",
        "components": {"org.keycloak.userprofile.UserProfileProvider": [_user_profile()]},
        "clients": _clients(stack, calls),
        "users": [*(_user(stack, person) for person in people), _ADMIN_SERVICE_ACCOUNT],
    }


# -- scopes and claims --

_IDENTITY_SCOPES = ["basic", "acr", "roles", "web-origins", "profile", "email", "komu-person", "komu-levels"]


def _scopes(calls: Calls) -> list[Json]:
    built_in = [
        _scope(
            "basic",
            [
                _mapper("sub", "oidc-sub-mapper", _ACCESS),
                _note("auth_time", "AUTH_TIME", "long", _ACCESS | {"id.token.claim": "true"}),
            ],
        ),
        _scope("acr", [_mapper("acr", "oidc-acr-mapper", _ACCESS | {"id.token.claim": "true"})]),
        _scope(
            "profile",
            [
                _attribute("username", "username", "preferred_username"),
                _attribute("given", "firstName", "given_name"),
                _attribute("family", "lastName", "family_name"),
                _attribute("name", "display_name", "name"),  # 氏 名: Keycloak's own puts the given name first
            ],
            in_token=True,
        ),
        _scope("email", [_attribute("email", "email", "email")], in_token=True),
        _scope(
            "roles",
            [
                _mapper(
                    "realm roles",
                    "oidc-usermodel-realm-role-mapper",
                    _ACCESS
                    | {
                        "id.token.claim": "true",
                        "claim.name": "realm_access.roles",
                        "jsonType.label": "String",
                        "multivalued": "true",
                    },
                )
            ],
        ),
        _scope("web-origins", [_mapper("origins", "oidc-allowed-origins-mapper", _ACCESS)]),
    ]
    own = [
        _scope("komu-person", [_attribute("tenant", "tenant", "tenant"), _attribute("person", "person", "person")]),
        _scope("komu-levels", [_note("levels", "loa-map", "JSON", _ACCESS | {"id.token.claim": "true"}, claim="loa")]),
        _scope("portal-exchange-audience", [_audience("portal-exchange")]),
    ]
    return built_in + own + [_scope(service, [_audience(service)], in_token=True) for service in calls.services]


def _scope(name: str, mappers: list[Json], *, in_token: bool = False) -> Json:
    return {
        "name": name,
        "protocol": "openid-connect",
        "attributes": {"include.in.token.scope": str(in_token).lower(), "display.on.consent.screen": "false"},
        "protocolMappers": mappers,
    }


def _mapper(name: str, kind: str, config: dict[str, str]) -> Json:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


def _attribute(name: str, attribute: str, claim: str) -> Json:
    config = {"user.attribute": attribute, "claim.name": claim, "jsonType.label": "String"}
    return _mapper(name, "oidc-usermodel-attribute-mapper", _EVERYWHERE | config)


def _note(name: str, note: str, kind: str, where: dict[str, str], claim: str | None = None) -> Json:
    config = {"user.session.note": note, "claim.name": claim or name, "jsonType.label": kind}
    return _mapper(name, "oidc-usersessionmodel-note-mapper", where | config)


def _audience(client: str) -> Json:
    config = _ACCESS | {"included.client.audience": client, "id.token.claim": "false"}
    return _mapper(f"audience {client}", "oidc-audience-mapper", config)


def _user_profile() -> Json:
    """Attributes that are not declared here are dropped by Keycloak without a word."""
    admin, both = ["admin"], ["admin", "user"]

    def attribute(name: str, validations: Json) -> Json:
        return {
            "name": name,
            "displayName": f"${{{name}}}",
            "validations": validations,
            "permissions": {"view": both, "edit": admin},
            "multivalued": False,
        }

    profile = {
        "attributes": [
            attribute("username", {"length": {"min": 3, "max": 120}, "username-prohibited-characters": {}}),
            attribute("email", {"email": {}, "length": {"max": 255}}),
            attribute("firstName", {"length": {"max": 255}}),
            attribute("lastName", {"length": {"max": 255}}),
            attribute("display_name", {"length": {"max": 255}}),
            attribute("tenant", {"pattern": {"pattern": "^[a-z0-9-]{1,40}$", "error-message": "not a tenant"}}),
            attribute("person", {"pattern": {"pattern": "^[0-9a-f-]{36}$", "error-message": "not a UUID"}}),
        ]
    }
    return {
        "providerId": "declarative-user-profile",
        "subComponents": {},
        "config": {"kc.user.profile.config": [json.dumps(profile)]},
    }


# -- clients --


def _clients(stack: Stack, calls: Calls) -> list[Json]:
    portal = stack.portal_url
    clients = [
        _confidential(
            stack,
            "portal",
            standardFlowEnabled=True,
            rootUrl=portal,
            redirectUris=[f"{portal}/callback"],
            webOrigins=[portal],
            defaultClientScopes=[*_IDENTITY_SCOPES, "portal-exchange-audience"],
            optionalClientScopes=[],
            attributes={
                "pkce.code.challenge.method": "S256",
                "post.logout.redirect.uris": f"{portal}/*",
                "backchannel.logout.url": f"{portal}/backchannel-logout",
                "backchannel.logout.session.required": "true",
                "use.refresh.tokens": "true",
            },
        ),
        _exchanger(stack, "portal-exchange", calls.callees_of("portal")),
        _confidential(
            stack,
            "komu-admin",
            serviceAccountsEnabled=True,
            defaultClientScopes=["basic", "roles"],
            optionalClientScopes=[],
            protocolMappers=[
                _mapper(
                    "client roles",
                    "oidc-usermodel-client-role-mapper",
                    _ACCESS
                    | {
                        "claim.name": "resource_access.${client_id}.roles",
                        "jsonType.label": "String",
                        "multivalued": "true",
                    },
                )
            ],
        ),
        # The account pages would let a person enrol a second factor with the password alone.
        {"clientId": "account", "enabled": False, "redirectUris": []},
        {"clientId": "account-console", "enabled": False, "publicClient": True, "redirectUris": []},
    ]
    for service in calls.services:
        callees = calls.callees_of(service)
        clients.append(_exchanger(stack, service, callees) if callees else _audience_only(service))
    return clients


def _confidential(stack: Stack, client: str, **settings: Any) -> Json:
    return {
        "clientId": client,
        "name": client,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "clientAuthenticatorType": "client-secret",
        "secret": stack.secret(f"client-{client}"),
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "frontchannelLogout": False,
        "fullScopeAllowed": True,
        **settings,
    }


def _exchanger(stack: Stack, client: str, callees: list[str]) -> Json:
    """A client that turns a person's token for itself into one for a service it may call (RFC 8693)."""
    return _confidential(
        stack,
        client,
        attributes={"standard.token.exchange.enabled": "true"},
        defaultClientScopes=["basic", "acr", "roles", "komu-person", "komu-levels"],
        optionalClientScopes=callees,
    )


def _audience_only(service: str) -> Json:
    return {
        "clientId": service,
        "name": service,
        "enabled": True,
        "protocol": "openid-connect",
        "bearerOnly": True,
        "publicClient": False,
        "standardFlowEnabled": False,
        "directAccessGrantsEnabled": False,
    }


# -- people --


def _user(stack: Stack, person: demo.Account) -> Json:
    credentials: list[Json] = [{"type": "password", "value": demo.password(stack, person.username), "temporary": False}]
    if person.second_factor:
        credentials.append(
            {
                "type": "otp",
                "userLabel": "ワンタイムコード",
                "secretData": json.dumps({"value": demo.otp_secret(stack, person.username)}),
                "credentialData": json.dumps({"subType": "totp", "digits": 6, "period": 30, "algorithm": "HmacSHA1"}),
            }
        )
    return {
        "username": person.username,
        "enabled": True,
        "email": f"{person.username}@komu.example",
        "emailVerified": True,
        "firstName": person.given_name,
        "lastName": person.family_name,
        "attributes": {
            "display_name": [person.name],
            "tenant": [person.board.tenant],
            "person": [str(person.person_id)],
        },
        "realmRoles": [person.role],
        "credentials": credentials,
    }


_ADMIN_SERVICE_ACCOUNT: Json = {
    "username": "service-account-komu-admin",
    "enabled": True,
    "serviceAccountClientId": "komu-admin",
    "clientRoles": {"realm-management": ["manage-users", "view-users", "query-users", "view-realm"]},
}
