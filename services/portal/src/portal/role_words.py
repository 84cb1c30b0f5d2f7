"""What roles are called."""

from collections.abc import Iterable

ROLE_NAMES = {
    "principal": "校長",
    "vice_principal": "教頭・副校長",
    "teacher": "教員",
    "office": "事務職員",
    "board_admin": "教育委員会の管理者",
    "operator": "県の運用担当",
}


def role_names(roles: Iterable[str]) -> list[str]:
    """Their names, in the order people list them; a role nobody here knows is left out."""
    held = frozenset(roles)
    return [words for role, words in ROLE_NAMES.items() if role in held]
