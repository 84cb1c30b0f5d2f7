"""NATS JetStream of the stack: mutual TLS, one user per service known by its certificate, least subject permissions.

The permissions come from the `events` part of `infra/calls.yaml`: a service publishes into its own stream only and
reads the streams it is listed for, through a durable consumer of its own name. KOMU_NATS_URL names another server."""

import asyncio
import json
import logging
import os
import signal
import ssl
from typing import Any

import nats
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from komustack import parts
from komustack.calls import Calls
from komustack.stack import SERVICES, Stack, write_private
from komustack.supervise import Program

# asyncio remarks on every TLS connection that the client library closes; nothing is wrong then
logging.getLogger("asyncio").setLevel(logging.ERROR)

_KEPT_S = 14 * 24 * 3600
_DUPLICATES_S = 120


def is_external() -> bool:
    return "KOMU_NATS_URL" in os.environ


def identity_uri(name: str) -> str:
    return f"spiffe://komu/{name}"


def permissions(service: str, calls: Calls) -> dict[str, Any]:
    """What one service may publish and subscribe. Its replies come to `_INBOX.<service>.`, closed to all others."""
    publish = ["$JS.API.INFO"]
    if service in calls.events:
        publish += [f"{service}.v1.>", f"$JS.API.STREAM.INFO.{service}"]
    for producer in calls.heard_by(service):
        stream = producer
        publish += [f"$JS.API.STREAM.INFO.{stream}", f"$JS.API.STREAM.MSG.GET.{stream}"]
        publish += [
            f"$JS.API.CONSUMER.CREATE.{stream}.{service}",
            f"$JS.API.CONSUMER.CREATE.{stream}.{service}.>",
            f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{service}",
            f"$JS.API.CONSUMER.INFO.{stream}.{service}",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{service}",
            f"$JS.ACK.{stream}.{service}.>",
        ]
    return {"publish": {"allow": publish}, "subscribe": {"allow": [f"_INBOX.{service}.>"]}}


def configuration(stack: Stack, calls: Calls) -> str:
    """The server's file. JSON is valid in its syntax, so nothing has to be quoted by hand."""
    users = [{"user": identity_uri(name), "permissions": permissions(name, calls)} for name in SERVICES]
    users.append({"user": identity_uri("operator"), "permissions": {"publish": [">"], "subscribe": [">"]}})
    return json.dumps(
        {
            "server_name": f"komu-{stack.name}",
            "listen": f"127.0.0.1:{stack.port('nats')}",
            "max_payload": 1_048_576,
            "jetstream": {
                "store_dir": str(stack.home / "nats"),
                "max_memory_store": 16 * 2**20,
                "max_file_store": 4 * 2**30,
            },
            "tls": {
                "cert_file": str(stack.cert("nats")),
                "key_file": str(stack.key("nats")),
                "ca_file": str(stack.ca_file),
                "verify_and_map": True,
                "timeout": 5,
            },
            "authorization": {"users": users},
        },
        indent=1,
    )


def prepare(stack: Stack, calls: Calls) -> None:
    write_private(stack.run / "nats.conf", configuration(stack, calls))


def program(stack: Stack) -> Program:
    argv = [str(parts.nats_server()), "-c", str(stack.run / "nats.conf"), "-P", str(stack.run / "nats.pid")]
    return Program("nats", argv, env={"GOMEMLIMIT": "100MiB"}, stop_wait_s=30)


def tls(stack: Stack, identity: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(stack.ca_file))
    context.load_cert_chain(stack.cert(identity), stack.key(identity))
    return context


async def connect(stack: Stack, identity: str = "operator") -> Client:
    async def quiet(_: Exception) -> None:
        return None

    return await nats.connect(
        stack.nats_url,
        tls=tls(stack, identity),
        inbox_prefix=f"_INBOX.{identity}".encode(),
        allow_reconnect=False,
        connect_timeout=3,
        error_cb=quiet,
    )


def is_ready(stack: Stack) -> bool:
    async def ask() -> None:
        connection = await connect(stack)
        try:
            await connection.jetstream().account_info()
        finally:
            await connection.close()

    try:
        asyncio.run(ask())
    except (OSError, nats.errors.Error):
        return False
    return True


def create_streams(stack: Stack, calls: Calls) -> None:
    """One stream per producer, those that are missing; a changed setting is brought up to date."""

    async def create() -> None:
        connection = await connect(stack)
        try:
            jetstream = connection.jetstream()
            for producer in calls.events:
                wanted = StreamConfig(
                    name=producer,
                    subjects=[f"{producer}.v1.>"],
                    retention=RetentionPolicy.LIMITS,
                    storage=StorageType.FILE,
                    discard=DiscardPolicy.OLD,
                    max_age=_KEPT_S,
                    duplicate_window=_DUPLICATES_S,
                )
                try:
                    await jetstream.stream_info(producer)
                    await jetstream.update_stream(wanted)
                except NotFoundError:
                    await jetstream.add_stream(wanted)
        finally:
            await connection.close()

    asyncio.run(create())


def reload(stack: Stack) -> None:
    """Makes the running server read its certificates and permissions again."""
    os.kill(int((stack.run / "nats.pid").read_text()), signal.SIGHUP)
