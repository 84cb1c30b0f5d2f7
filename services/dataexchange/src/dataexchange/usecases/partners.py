"""連携先: the board lets a partner in, gives a new secret, shuts it out; the partner gets tokens."""

from dataclasses import dataclass
from uuid import UUID

from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from dataexchange.domain import partners
from dataexchange.domain.partners import TOKEN_LASTS, Grant, LineItem, Partner
from dataexchange.domain.rest.answers import Declined, Minor
from dataexchange.store import partners as store
from dataexchange.store import roster_objects


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the board enters; `school_ids` empty: every school."""

    name: str
    purpose: str
    scopes: frozenset[str]
    school_ids: frozenset[str]


async def add(tx: Transaction, actor: Actor, wanted: Wanted) -> tuple[Partner, str]:
    """A new partner and its secret, which is shown once. Raises: Invalid."""
    problems = partners.problems(wanted.name, wanted.purpose, wanted.scopes)
    known = await roster_objects.known(tx, [("org", school) for school in wanted.school_ids])
    if len(known) < len(wanted.school_ids):
        problems.append(Violation("school_ids", "この教育委員会にない学校が選ばれています。選び直してください。"))
    if problems:
        raise Invalid("入力を確かめてください。", problems)
    return await enter(tx, uuid7(), wanted, partners.new_secret())


async def enter(tx: Transaction, partner_id: UUID, wanted: Wanted, secret: str) -> tuple[Partner, str]:
    """The partner under a known id and secret: what `make up` does for the demo boards."""
    name, purpose = wanted.name.strip(), wanted.purpose.strip()
    partner = Partner(partner_id, name, purpose, wanted.scopes, wanted.school_ids, tx.now, None, None, 1)
    await store.add(tx, partner, partners.sha256(secret))
    tx.audit("partner.added", partner.id, after={
        "name": partner.name, "purpose": partner.purpose, "scopes": sorted(partner.scopes),
        "schools": sorted(partner.school_ids),
    }, subject_id=board_subject(tx.tenant))  # fmt: skip
    return partner, secret


async def history(tx: Transaction, actor: Actor, before: UUID | None, limit: int) -> tuple[list[Partner], bool]:
    """Newest first, and whether there are more."""
    found = await store.page(tx, before, limit + 1)
    return found[:limit], len(found) > limit


async def line_items(tx: Transaction, actor: Actor, before: int, limit: int) -> tuple[list[LineItem], bool]:
    """課題 that partners wrote, newest first, and whether there are more."""
    found = await store.line_items(tx, before, limit + 1)
    return found[:limit], len(found) > limit


async def disable(tx: Transaction, actor: Actor, partner_id: UUID, *, disabled: bool) -> Partner:
    """Shut it out at once, tokens included, or let it in again. Raises: Unseen."""
    before = await _get(tx, partner_id)
    await store.change(tx, partner_id, disabled_at=tx.now if disabled else None, secret_sha256=None)
    tx.audit("partner.disabled" if disabled else "partner.enabled", before.id, subject_id=board_subject(tx.tenant))
    return await _get(tx, partner_id)


async def renew_secret(tx: Transaction, actor: Actor, partner_id: UUID) -> tuple[Partner, str]:
    """A new secret; the old one and every token end now. Raises: Unseen, Conflict."""
    partner = await _get(tx, partner_id)
    if partner.disabled_at is not None:
        message = "停止中の連携先です。再開してから、シークレットを作り直してください。"
        raise Conflict(message, reason="PARTNER_DISABLED")
    secret = partners.new_secret()
    await store.change(tx, partner_id, disabled_at=None, secret_sha256=partners.sha256(secret))
    tx.audit("partner.secret_renewed", partner.id, subject_id=board_subject(tx.tenant))
    return await _get(tx, partner_id), secret


async def issue_token(
    tx: Transaction, client_id: str, secret: str, asked: frozenset[str] | None
) -> tuple[str, Grant] | None:
    """A token for the scopes asked for, as far as they are granted (perhaps none is); None: not known."""
    partner_id = partners.partner_id_of(client_id)
    kept = await store.secret_of(tx, partner_id) if partner_id else None
    if partner_id is None or kept is None or not partners.same(secret, kept):
        return None
    partner = await _get(tx, partner_id)
    scopes = partner.scopes if asked is None else partner.scopes & asked
    grant = Grant(tx.tenant, partner.id, scopes, partner.school_ids, tx.now + TOKEN_LASTS)
    token = partners.new_token(tx.tenant)
    if scopes:
        await store.add_token(tx, partners.sha256(token), grant)
        tx.audit(
            "partner.token_issued", partner.id, after={"scopes": sorted(scopes)}, subject_id=board_subject(tx.tenant)
        )  # fmt: skip
    return token, grant


async def grant_of(tx: Transaction, token: str) -> Grant | None:
    return await store.grant_of(tx, partners.sha256(token))


async def _get(tx: Transaction, partner_id: UUID) -> Partner:
    partner = await store.find(tx, partner_id, lock=True)
    if partner is None:
        raise Unseen("この連携先は見つかりません。")
    return partner


async def still(tx: Transaction, token_sha256: bytes) -> None:
    """Before a change: the token stands, and stands until the change is saved. Raises: Declined."""
    if await store.hold_token(tx, token_sha256) is None:
        raise Declined(Minor.UNAUTHORISED, "the access token has ended")
