"""How people sign in: a password for level 1, a one-time code for level 2, a refusal for those who have no code."""

from typing import Any

Json = dict[str, Any]
LEVEL_1_MAX_AGE_S = 36_000
LEVEL_2_MAX_AGE_S = 300
REFUSED_WITHOUT_SECOND_FACTOR = "komuSecondFactorMissing"
"""Message key in the theme `komu`: why, and what to do now."""


def flows() -> list[Json]:
    return [
        _flow(
            "komu-browser",
            "校務のサインイン",
            [_step("auth-cookie", "ALTERNATIVE", 10), _inner("komu-forms", "ALTERNATIVE", 20)],
            top=True,
        ),
        _flow(
            "komu-forms",
            "水準ごとの確認",
            [_inner("komu-level-1", "CONDITIONAL", 10), _inner("komu-level-2", "CONDITIONAL", 20)],
        ),
        _flow(
            "komu-level-1",
            "水準1: パスワード",
            [
                _step("conditional-level-of-authentication", "REQUIRED", 10, "komu-level-1"),
                _step("auth-username-password-form", "REQUIRED", 20),
            ],
        ),
        _flow(
            "komu-level-2",
            "水準2: 登録済みの二つ目の要素。未登録の人には登録させず断る",
            [
                _step("conditional-level-of-authentication", "REQUIRED", 10, "komu-level-2"),
                _inner("komu-second-factor", "CONDITIONAL", 20),
                _inner("komu-no-second-factor", "CONDITIONAL", 30),
            ],
        ),
        _flow(
            "komu-second-factor",
            "登録済みの人: ワンタイムコード",
            [_step("conditional-user-configured", "REQUIRED", 10), _step("auth-otp-form", "REQUIRED", 20)],
        ),
        _flow(
            "komu-no-second-factor",
            "未登録の人: 断る",
            [
                _step("conditional-sub-flow-executed", "REQUIRED", 10, "komu-no-second-factor"),
                _step("deny-access-authenticator", "REQUIRED", 20, "komu-refusal"),
            ],
        ),
    ]


def settings() -> list[Json]:
    return [
        _named("komu-level-1", {"loa-condition-level": "1", "loa-max-age": str(LEVEL_1_MAX_AGE_S)}),
        _named("komu-level-2", {"loa-condition-level": "2", "loa-max-age": str(LEVEL_2_MAX_AGE_S)}),
        _named("komu-no-second-factor", {"flow_to_check": "komu-second-factor", "check_result": "not-executed"}),
        _named("komu-refusal", {"denyErrorMessage": REFUSED_WITHOUT_SECOND_FACTOR}),
    ]


def _named(alias: str, config: dict[str, str]) -> Json:
    return {"alias": f"{alias}-settings", "config": config}


def _flow(alias: str, words: str, executions: list[Json], *, top: bool = False) -> Json:
    return {
        "alias": alias,
        "description": words,
        "providerId": "basic-flow",
        "topLevel": top,
        "builtIn": False,
        "authenticationExecutions": executions,
    }


def _step(authenticator: str, requirement: str, priority: int, settings: str | None = None) -> Json:
    step: Json = {
        "authenticator": authenticator,
        "authenticatorFlow": False,
        "requirement": requirement,
        "priority": priority,
    }
    if settings:
        step["authenticatorConfig"] = f"{settings}-settings"
    return step


def _inner(flow: str, requirement: str, priority: int) -> Json:
    return {"flowAlias": flow, "authenticatorFlow": True, "requirement": requirement, "priority": priority}


def required_actions() -> list[Json]:
    """What a person may be asked to do, or ask for by `kc_action`. Everything that makes a credential is off."""
    return [
        {
            "alias": alias,
            "name": words,
            "providerId": alias,
            "enabled": enabled,
            "defaultAction": False,
            "priority": priority,
            "config": {},
        }
        for priority, (alias, words, enabled) in enumerate(
            [
                ("CONFIGURE_TOTP", "ワンタイムコードの自己登録", False),
                ("UPDATE_PASSWORD", "パスワードの変更", True),
                ("UPDATE_PROFILE", "利用者情報の変更", False),
                ("VERIFY_EMAIL", "メールの確認", False),
                ("VERIFY_PROFILE", "利用者情報の確認", False),
                ("delete_credential", "認証情報の削除", False),
                ("delete_account", "アカウントの削除", False),
                ("TERMS_AND_CONDITIONS", "利用条件", False),
                ("webauthn-register", "パスキーの登録", False),
                ("webauthn-register-passwordless", "パスキーの登録", False),
                ("CONFIGURE_RECOVERY_AUTHN_CODES", "回復コードの登録", False),
                ("update_user_locale", "言語", True),
            ],
            start=1,
        )
    ]
