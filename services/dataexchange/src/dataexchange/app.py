"""The only place that wires dataexchange together."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from komu.dataexchange.v1 import exports_pb2_grpc, imports_pb2_grpc, partners_pb2_grpc, transfers_pb2_grpc
from servicekit import migrate as migrations
from servicekit.clients import Clients
from servicekit.db import Database
from servicekit.grpc import Service
from servicekit.jobs import JobContext, JobKind
from servicekit.process import run

from dataexchange.clients.gathering import Gatherer
from dataexchange.clients.peers import Peers
from dataexchange.clients.people import People
from dataexchange.clients.register import Register
from dataexchange.consumers import CONSUMERS
from dataexchange.domain.ourselves import Ourselves
from dataexchange.grpc_api import RIGHTS, ExportServicer, ImportServicer, PartnerServicer, TransferServicer
from dataexchange.http_api import exchange_app
from dataexchange.rest_api import TOKEN_PATH, RestApp
from dataexchange.settings import Settings
from dataexchange.usecases import handing_out, projection
from dataexchange.usecases.delivering import Sender
from dataexchange.usecases.trust import Trust

Loop = Callable[[], Awaitable[None]]
RENEWAL_LOOK_S = 30.0


class ExchangeService(Service):
    """The service, with the loops that run beside it: the sender, and the watch over keys and directory."""

    def __init__(self, *args: Any, loops: Sequence[Loop] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loops = tuple(loops)
        self._running: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        await super().start()
        self._running = [asyncio.ensure_future(loop()) for loop in (*self._loops, self._renew_certificate)]

    async def _renew_certificate(self) -> None:
        """New connections of other municipalities get the renewed certificate; the old process lives on."""
        cert, key = self.settings.http_tls_cert, self.settings.http_tls_key
        context = self._http[-1]._server.config.ssl if self._http else None
        if cert is None or key is None or context is None:
            return
        read_at = cert.stat().st_mtime_ns
        while True:
            await asyncio.sleep(RENEWAL_LOOK_S)
            changed_at = cert.stat().st_mtime_ns
            if changed_at != read_at:
                context.load_cert_chain(cert, key)
                read_at = changed_at

    async def stop(self) -> None:
        """What is on its way to another deployment breaks off; its lease brings it up again."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await super().stop()


def build(settings: Settings) -> ExchangeService:
    """The process `python -m dataexchange serve` runs."""
    if settings.http_tls_cert is None:
        settings = settings.model_copy(update={"http_tls_cert": settings.tls_cert, "http_tls_key": settings.tls_key})
    database = Database(
        settings.database_url, pool_size=settings.database_pool, application_name=f"komu-{settings.service}"
    )
    us = Ourselves()
    clients = Clients(settings)
    register = Register(clients)
    peers = Peers(settings.exchange_ca_bundle)
    sender = Sender(database, us, peers)
    loops: list[Loop] = []
    if settings.organisations and settings.directory_operator_file and settings.directory_file:
        trust = Trust(
            database, us, peers, organisations=settings.organisations, directory=settings.directory_file,
            operator=settings.directory_operator_file, every_s=settings.directory_seconds,
        )  # fmt: skip
        loops = [trust.run, sender.run]
    people = People(clients)

    async def project(job: JobContext) -> None:
        await projection.project(job, people)

    transfers = TransferServicer(us, register, Gatherer(clients, register), sender)
    return ExchangeService(
        settings,
        rights=RIGHTS,
        servicers=[
            (transfers, transfers_pb2_grpc.add_TransferServiceServicer_to_server),
            (ImportServicer(clients), imports_pb2_grpc.add_ImportServiceServicer_to_server),
            (
                PartnerServicer(settings.exchange_public_url, TOKEN_PATH),
                partners_pb2_grpc.add_PartnerServiceServicer_to_server,
            ),
            (ExportServicer(), exports_pb2_grpc.add_ExportServiceServicer_to_server),
        ],
        consumers=CONSUMERS,
        jobs=[JobKind(projection.JOB, project), JobKind(handing_out.JOB, handing_out.write)],
        database=database,
        http_app=RestApp(database, exchange_app(database, us)),
        closing=[clients.close, peers.close],
        loops=loops,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`serve` and `migrate` take everything from the environment."""


def serve(_: argparse.Namespace) -> int:
    run(build(Settings()).serve())
    return 0


def migrate(_: argparse.Namespace) -> int:
    migrations.upgrade("dataexchange", os.environ["KOMU_MIGRATION_URL"])
    return 0
