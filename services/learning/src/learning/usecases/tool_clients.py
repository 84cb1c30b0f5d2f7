"""The board opens the record store to a tool, gives it a new secret, closes it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from learning import events, policy
from learning.domain.tool_clients import LONGEST_NAME, LONGEST_PURPOSE, Reading, ToolClient, Use, hash_of
from learning.store import tool_clients as store


@dataclass(frozen=True, slots=True)
class Register:
    """A client as the board wants it."""

    name: str
    purpose: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Opened:
    """A client with its secret, shown this once."""

    client: ToolClient
    secret: str


async def list_clients(tx: Transaction, actor: Actor) -> Sequence[tuple[ToolClient, Use | None]]:
    """With what each did. Raises: Refused."""
    policy.may_manage_clients(actor).enforce()
    uses = await store.uses(tx)
    return [(client, uses.get(client.id)) for client in await store.all_of_board(tx)]


async def register(tx: Transaction, actor: Actor, command: Register) -> Opened:
    """Raises: Refused, Invalid."""
    policy.may_manage_clients(actor).enforce()
    name, purpose = command.name.strip(), command.purpose.strip()
    wrong = [
        Violation(field, f"{label}を{longest}字以内で入力してください。")
        for field, label, text, longest in (
            ("name", "名称", name, LONGEST_NAME),
            ("purpose", "利用目的", purpose, LONGEST_PURPOSE),
        )
        if not 0 < len(text) <= longest
    ]
    if wrong:
        raise Invalid("入力を確かめてください。", wrong)
    client = ToolClient(uuid7(), name, purpose, command.reading, actor.person_id, tx.now, None, 1)
    secret = secrets.token_urlsafe(32)
    await store.add(tx, client, hash_of(secret))
    tx.audit("tool_client.registered", client.id, after=client, subject_id=board_subject(tx.tenant))
    tx.emit(events.tool_client_changed(client))
    return Opened(client, secret)


async def renew_secret(tx: Transaction, actor: Actor, client_id: UUID, version: int) -> Opened:
    """The old secret ends with this. Raises: Refused, Unseen, Conflict."""
    client = await _open_client(tx, actor, client_id, version)
    secret = secrets.token_urlsafe(32)
    changed = replace(client, version=client.version + 1)
    if not await store.change(tx, changed, hash_of(secret)):
        raise _somebody_was_faster()
    tx.audit("tool_client.secret_renewed", client.id, before=client, after=changed, subject_id=board_subject(tx.tenant))
    tx.emit(events.tool_client_changed(changed))
    return Opened(changed, secret)


async def disable(tx: Transaction, actor: Actor, client_id: UUID, version: int) -> ToolClient:
    """The tool is turned away from now on; what it wrote stays. Raises: Refused, Unseen, Conflict."""
    client = await _open_client(tx, actor, client_id, version)
    changed = replace(client, disabled_at=tx.now, version=client.version + 1)
    if not await store.change(tx, changed):
        raise _somebody_was_faster()
    tx.audit("tool_client.disabled", client.id, before=client, after=changed, subject_id=board_subject(tx.tenant))
    tx.emit(events.tool_client_changed(changed))
    return changed


async def _open_client(tx: Transaction, actor: Actor, client_id: UUID, version: int) -> ToolClient:
    policy.may_manage_clients(actor).enforce()
    client = await store.one(tx, client_id)
    if client is None:
        raise Unseen("この接続は登録されていません。")
    if not client.active:
        raise Conflict("この接続は停止されています。使うには新しく登録してください。", reason="DISABLED")
    if client.version != version:
        raise _somebody_was_faster()
    return client


def _somebody_was_faster() -> Conflict:
    return Conflict("ほかの人が先にこの接続を変えました。画面を読み込み直して、もう一度確かめてください。")
