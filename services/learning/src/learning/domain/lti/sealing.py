"""Private keys at rest: sealed with the keys of `KOMU_LTI_KEY`, so that a copy of the database signs nothing."""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from servicekit.errors import Unavailable


class Sealer:
    """Fernet keys, newest first, separated by commas; the newest seals, every one opens."""

    def __init__(self, keys: str) -> None:
        """Raises: ValueError, for what is no Fernet key."""
        listed = [key.strip() for key in keys.split(",") if key.strip()]
        self._fernet = MultiFernet([Fernet(key) for key in listed]) if listed else None

    def seal(self, jwk: dict[str, Any]) -> bytes:
        """Raises: Unavailable, when no key is set."""
        return self._ready().encrypt(json.dumps(jwk).encode())

    def open(self, sealed: bytes) -> dict[str, Any]:
        """Raises: Unavailable, when the key it was sealed with is not there any more."""
        try:
            opened: dict[str, Any] = json.loads(self._ready().decrypt(sealed))
        except InvalidToken:
            raise Unavailable(reason="LTI_KEY_LOST") from None
        return opened

    def _ready(self) -> MultiFernet:
        if self._fernet is None:
            raise Unavailable(
                "学習ツールの接続は、この環境ではまだ使えません。運用の担当者に連絡してください。",
                reason="LTI_NOT_SET_UP",
            )
        return self._fernet
