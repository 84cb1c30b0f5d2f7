"""`python -m learning demo --stack-info FILE --out FILE`: clients of the record store for a local stack.

No door of its own: it signs in as each board's administrator, as a browser does, and registers the clients by the RPC
of the page. The secrets are shown once, so they go into `--out`; while that file is there nothing is registered again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import grpc
from komu.learning.v1 import tool_clients_pb2 as pb
from komu.learning.v1 import tool_clients_pb2_grpc
from servicekit.clients import raise_for
from servicekit.errors import KomuError
from servicekit.signing_in import SignInFailed, exchanged_token, portal_line

_WITHIN_S = 30.0
_CLIENTS = (
    ("デモの学習ポータル", "学習履歴の受け取りと表示", pb.READING_ALL),
    ("デモの計算ドリル", "学習履歴の受け取り", pb.READING_OWN),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack-info", "--info", dest="info", type=Path, required=True, help="the JSON of `make info`")
    parser.add_argument("--out", type=Path, required=True, help="file for keys and secrets")


def run(arguments: argparse.Namespace) -> int:
    """0 when the clients are there; 1 with a sentence when they are not."""
    if arguments.out.exists():
        return 0
    try:
        clients = asyncio.run(_register(json.loads(arguments.info.read_text())))
    except (KomuError, SignInFailed, grpc.RpcError) as error:
        print(f"デモの学習ツールを登録できませんでした: {error}", file=sys.stderr)
        return 1
    draft = arguments.out.with_name(arguments.out.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(clients, ensure_ascii=False))
    os.replace(draft, arguments.out)
    return 0


async def _register(info: dict[str, Any]) -> list[dict[str, str]]:
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
