"""A demo partner (連携先) of every demo board: who asks for OneRoster objects over REST."""

import uuid
from typing import Any

from komustack import demo
from komustack.stack import Stack


def partner_id(board: demo.Board) -> uuid.UUID:
    """The same on every machine; the secret is not."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://komu.example/demo/partner/{board.tenant}")


def secret_file(board: demo.Board) -> str:
    return f"oneroster-{board.tenant}"


def arguments(stack: Stack, board: demo.Board) -> list[str]:
    """Of the product's own command that enters the partner; entering it again changes nothing."""
    stack.secret(secret_file(board))
    return [
        "partner", "--tenant", board.tenant, "--id", str(partner_id(board)),
        "--secret-file", str(stack.home / "secrets" / secret_file(board)),
        "--name", "みらい学習eポータル（見本）", "--purpose", "見本の連携先。名簿を読み、学習の記録を書く。",
    ]  # fmt: skip


def client(stack: Stack, board: demo.Board) -> dict[str, Any]:
    """`base_url`: `/ims/oneroster/rostering/v1p2` hangs under it. `ca_bundle`: who signed its certificate."""
    return {
        "board": board.tenant,
        "base_url": stack.exchange_url,
        "token_url": f"{stack.exchange_url}/oauth/token",
        "client_id": f"{board.tenant}.{partner_id(board).hex}",
        "client_secret": stack.secret(secret_file(board)),
        "ca_bundle": str(stack.exchange_ca_file),
    }
