"""Clients of the record store for each demo board: a portal that reads everything, a drill that reads its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import grpc
from komu.learning.v1 import tool_clients_pb2 as pb
from komu.learning.v1 import tool_clients_pb2_grpc
from servicekit.clients import raise_for
from servicekit.signing_in import exchanged_token, portal_line

_WITHIN_S = 30.0
_CLIENTS = (
    ("デモの学習ポータル", "学習履歴の受け取りと表示", pb.READING_ALL),
    ("デモの計算ドリル", "学習履歴の受け取り", pb.READING_OWN),
)


def keep(out: Path, clients: list[dict[str, str]]) -> None:
    """Writes board, name, key and secret of each client into `out`, for its owner only."""
    draft = out.with_name(out.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(clients, ensure_ascii=False))
    os.replace(draft, out)


async def register(info: dict[str, Any]) -> list[dict[str, str]]:
    made = []
    boards = dict.fromkeys(account["board"] for account in info["accounts"])
    async with grpc.aio.secure_channel(info["services"]["learning"]["grpc"], portal_line(info)) as channel:
        service: Any = tool_clients_pb2_grpc.ToolClientServiceStub(channel)
        for board in boards:
            token = await exchanged_token(info, f"{board}.board", "learning")
            for name, purpose, reading in _CLIENTS:
                request = pb.RegisterToolClientRequest(name=name, purpose=purpose, reading=reading)
                try:
                    opened = await service.RegisterToolClient(
                        request, timeout=_WITHIN_S, metadata=(("authorization", f"Bearer {token}"),)
                    )
                except grpc.RpcError as error:
                    raise_for(error)
                made.append(
                    {
                        "board": board,
                        "name": name,
                        "reading": "all" if reading == pb.READING_ALL else "own",
                        "username": opened.client.key,
                        "password": opened.secret,
                    }
                )
    return made
