"""The platform's keys: made when they are due, published before they sign, destroyed when nothing needs them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from joserfc.jwk import RSAKey
from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.db import Database, Transaction
from servicekit.errors import Conflict
from servicekit.ids import uuid7

from learning import policy
from learning.domain.lti import keys as rules
from learning.domain.lti.keys import PlatformKey
from learning.domain.lti.sealing import Sealer
from learning.store.lti import keys as store

DEPLOYMENT: Final = "deployment"
"""The tenant of what belongs to no board but to the deployment."""
_BITS: Final = 2048


class KeyRing:
    """The keys as this process uses them; kept under the deployment's own tenant."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def published(self) -> Sequence[PlatformKey]:
        """What the key set shows, newest first; a key that is due is made first. Raises: Unavailable."""
        async with self._database.reading(DEPLOYMENT) as tx:
            found = await store.all_keys(tx)
        now = self._database.clock()
        if rules.due(found, now) or rules.spent(found, now):
            async with self._database.transaction(DEPLOYMENT) as tx:
                found = await _tidied(tx, self._sealer)
        return rules.published(found, now)

    def now(self) -> datetime:
        """By the clock of the keys: a call that made the first key began before it signs."""
        return self._database.clock()

    async def private_key(self) -> dict[str, Any]:
        """The JWK that signs now. Raises: Unavailable."""
        key = rules.signing(await self.published(), self._database.clock())
        assert key is not None, "the first key signs at once"
        async with self._database.reading(DEPLOYMENT) as tx:
            return self._sealer.open(await store.private_half(tx, key.kid))

    async def publish_successor(self) -> None:
        """Raises: Conflict, when one waits already; Unavailable."""
        async with self._database.transaction(DEPLOYMENT) as tx:
            found = await _tidied(tx, self._sealer)
            if (waiting := rules.coming(found, tx.now)) is not None:
                raise Conflict(
                    "次の鍵はすでに公開しています。署名に使い始めるまで待ってください。",
                    {"signs_from": waiting.signs_from.isoformat()},
                    reason="KEY_WAITS",
                )
            await _make(tx, self._sealer, found)


async def ask_for_rotation(tx: Transaction, actor: Actor) -> None:
    """Who asked for new keys, on the board's own log. Raises: Refused."""
    policy.may_manage_tools(actor).enforce()
    tx.audit("lti_keys.rotation_asked", "lti_keys", subject_id=board_subject(tx.tenant))


async def look_at_keys(tx: Transaction, actor: Actor) -> None:
    """Raises: Refused."""
    policy.may_manage_tools(actor).enforce()


async def _tidied(tx: Transaction, sealer: Sealer) -> list[PlatformKey]:
    """Every key after what was due is done; one process at a time."""
    await store.alone(tx)
    found = await store.all_keys(tx)
    gone = {key.kid for key in rules.spent(found, tx.now)}
    if gone:
        await store.destroy(tx, sorted(gone))
        tx.audit("lti_keys.destroyed", "lti_keys", before=sorted(gone))
        found = [key for key in found if key.kid not in gone]
    if rules.due(found, tx.now):
        found = [*found, await _make(tx, sealer, found)]
    return found


async def _make(tx: Transaction, sealer: Sealer, before: Sequence[PlatformKey]) -> PlatformKey:
    kid = uuid7().hex
    made = RSAKey.generate_key(_BITS, {"kid": kid, "use": "sig", "alg": "RS256"})
    key = PlatformKey(kid, dict(made.as_dict(private=False)), tx.now, rules.first_use(before, tx.now))
    await store.add(tx, key, sealer.seal(dict(made.as_dict(private=True))))
    tx.audit("lti_keys.published", kid, after={"signs_from": key.signs_from.isoformat()})
    return key
