"""Two deployments in one process: own databases, own keys, real HTTPS between them, one signed directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from dataexchange.clients.gathering import HEALTH_ABSENT
from dataexchange.clients.peers import Peers
from dataexchange.domain import directory as directories
from dataexchange.domain import keys
from dataexchange.domain.commands import Draft, Gathered, PupilFacts
from dataexchange.domain.directory import Jwks, ListedSchool, Organisation
from dataexchange.domain.ourselves import Ourselves
from dataexchange.domain.package.manifest import Absent, School
from dataexchange.domain.transfers import Arrival, Transfer
from dataexchange.http_api import exchange_app
from dataexchange.policy import Served
from dataexchange.store import arrivals as arrival_store
from dataexchange.store import transfers as transfer_store
from dataexchange.usecases import arrivals, departures
from dataexchange.usecases.delivering import Sender
from joserfc.jwk import ECKey
from servicekit.auth import STRONG_LEVEL, Actor
from servicekit.clock import FixedClock
from servicekit.db import Database, Transaction
from servicekit.http import HttpServer
from servicekit.testing.pki import TestAuthority

from services.dataexchange.tests.unit.exchange_world import document, record

START = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
LEFT_ON = date(2026, 11, 20)
PUPIL_NAMES = {
    "official": {"family": "髙\U000e0101﨑", "given": "𠮷子"},
    "display": {"family": "高崎", "given": "吉子"},
    "kana": {"family": "タカサキ", "given": "ヨシコ"},
}


@dataclass
class Deployment:
    """One side: a board with one school, its database, its server, its sender."""

    organisation: str
    tenant: str
    school_id: UUID
    school_code: str
    database: Database
    us: Ourselves
    sender: Sender
    server: HttpServer
    private: dict[str, Any]

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.server.port}"

    def actor(self, *roles: str) -> Actor:
        levels = {1: self.database.clock(), STRONG_LEVEL: self.database.clock()}
        return Actor(self.tenant, uuid4(), frozenset(roles), levels, "session")

    @property
    def served(self) -> Served:
        return Served(
            name="学校 長子", school_ids=frozenset({self.school_id}), school_codes=frozenset({self.school_code}),
            code_of=((self.school_id, self.school_code),), homeroom_class_ids=frozenset(), board=False,
        )  # fmt: skip

    async def run(self, usecase: Any, *args: Any, roles: tuple[str, ...] = ("principal",)) -> Any:
        actor = self.actor(*roles)
        async with self.database.transaction(self.tenant, actor) as tx:
            return await usecase(tx, actor, *args)

    async def read(self, query: Any, *args: Any) -> Any:
        async with self.database.reading(self.tenant) as tx:
            return await query(tx, *args)

    async def transfer(self, transfer_id: UUID) -> Transfer:
        found: Transfer = await self.read(transfer_store.get, transfer_id)
        return found

    async def arrival(self, package_id: UUID | None) -> Arrival | None:
        assert package_id is not None
        found: Arrival | None = await self.read(arrival_store.find, package_id)
        return found

    async def count(self, table: str) -> int:
        async def counted(tx: Transaction) -> int:
            return int(await tx.scalar(f"SELECT count(*) FROM {table}"))

        value: int = await self.read(counted)
        return value

    async def subjects_told(self) -> list[str]:
        """The events in the outbox, oldest first, without service, version and tenant."""

        async def told(tx: Transaction) -> list[str]:
            found = await tx.execute("SELECT subject FROM outbox ORDER BY id")
            return [row.subject.split(".")[2] for row in found]

        value: list[str] = await self.read(told)
        return value

    async def deliver(self) -> int:
        """Let the sender do everything that is due."""
        done = 0
        while await self.sender.once(self.tenant):
            done += 1
        return done


@dataclass
class Pair:
    """The two sides, their common clock and the directory's operator."""

    here: Deployment
    there: Deployment
    clock: FixedClock
    operator: ECKey

    def publish(self, **changed: Any) -> None:
        """The next directory for both sides; `changed`: organisation id → changes of its `sig` key."""
        organisations = []
        for side in (self.here, self.there):
            entries = Jwks.model_validate(keys.public_half(side.private)).keys
            changes = changed.get(side.organisation.replace(":", "_"), {})
            jwks = [key.model_copy(update=changes) if key.use == "sig" else key for key in entries]
            organisations.append(
                Organisation(
                    id=side.organisation, kind="board", name=f"{side.tenant}教育委員会", base_url=side.base_url,
                    jwks=Jwks(keys=jwks),
                    schools=[ListedSchool(code=side.school_code, name=f"{side.tenant}小学校", address="みらい県")],
                )
            )  # fmt: skip
        content = directories.successor(self.here.us.held, organisations, self.clock(), timedelta(days=30))
        raw = directories.sign(content, self.operator, int(self.clock().timestamp()))
        directory = directories.read(raw, self.operator.as_dict(private=False))
        for side in (self.here, self.there):
            side.us.held = directory

    async def draft(self, **more: Any) -> Transfer:
        """The office of `here` drafts a transfer to the school of `there`."""
        pupil_id = more.pop("pupil_id", uuid4())
        facts = PupilFacts(pupil_id, self.here.school_id, uuid4(), True, False, 1)
        draft = Draft(pupil_id, self.there.organisation, self.there.school_code, LEFT_ON, "転居")
        view = await self.here.run(
            departures.draft_transfer, self.here.us, self.here.served, facts, draft, roles=("office",)
        )
        drafted: Transfer = view.transfer
        return drafted

    async def approve(self, transfer: Transfer) -> Transfer:
        """校長 approves: the package lies sealed in the table, nothing is sent yet."""
        copies = await self.here.run(departures.received_copies, transfer.pupil_id)
        gathered = Gathered(
            School(code=self.here.school_code, name="青空小学校", address="青空市"),
            [*contents(transfer.pupil_id), *copies],
            [Absent(role="health_record", reason=HEALTH_ABSENT)],
        )
        view = await self.here.run(
            departures.approve_transfer, self.here.us, self.here.served, transfer.id, transfer.version, gathered
        )
        approved: Transfer = view.transfer
        return approved

    async def sent(self) -> Transfer:
        """A transfer whose package arrived at `there`."""
        transfer = await self.approve(await self.draft())
        await self.here.deliver()
        return await self.here.transfer(transfer.id)

    async def matched(self, transfer: Transfer) -> Arrival:
        arrival = await self.there.arrival(transfer.package_id)
        assert arrival is not None
        view = await self.there.run(arrivals.match_arrival, self.there.served, arrival.id, None, arrival.version)
        found: Arrival = view.arrival
        return found


def contents(pupil_id: UUID) -> list[Any]:
    learner = {
        "schema": "learner/1.0", "person_id": str(pupil_id), "names": PUPIL_NAMES, "born_on": "2018-01-15",
        "sex": "female", "address": "みらい県青空市一丁目1番地",
    }  # fmt: skip
    school = {"code": "B113990000001", "name": "青空小学校"}
    history = {
        "schema": "enrolment_history/1.0",
        "events": [{"kind": "entered", "on": "2024-04-08", "school": school, "school_grade": "P1"}],
        "years": [{"school_year": 2026, "school_grade": "P3", "school": school, "class_name": "3年1組"}],
    }
    return [
        record("record/learner.json", "learner", learner),
        record("record/enrolment-history.json", "enrolment_history", history),
        document("documents/guidance-record-form-1.pdf", "guidance_record_form_1"),
        document("documents/guidance-record-form-2.pdf", "guidance_record_form_2"),
    ]


@asynccontextmanager
async def a_pair(urls: tuple[str, str], authority: TestAuthority) -> AsyncIterator[Pair]:
    """Both sides up, a first directory published."""
    clock, operator = FixedClock(START), ECKey.generate_key("P-256")
    sides: list[Deployment] = []
    peers: list[Peers] = []
    for number, (url, algorithm) in enumerate(zip(urls, ("ES256", "EdDSA"), strict=True)):
        tenant, organisation = f"t{uuid4().hex[:10]}", f"board:1{number}{uuid4().int % 10000:04}"
        private = keys.generate(organisation, START - timedelta(days=1), timedelta(days=365), algorithm)
        database = Database(url, application_name="komu-test", clock=clock)
        us = Ourselves({organisation: keys.load(private)}, {organisation: tenant})
        peer = Peers(authority.ca_file)
        server = HttpServer(
            exchange_app(database, us), "localhost:0", cert=authority.cert("dataexchange"),
            key=authority.key("dataexchange"),
        )  # fmt: skip
        await server.start()
        peers.append(peer)
        sides.append(
            Deployment(
                organisation, tenant, uuid4(), f"B1{number}3990000001", database, us, Sender(database, us, peer),
                server, private,
            )
        )  # fmt: skip
    pair = Pair(sides[0], sides[1], clock, operator)
    pair.publish()
    try:
        yield pair
    finally:
        for peer in peers:  # first: a server gives those who still hold a connection five seconds
            await peer.close()
        for side in sides:
            await side.server.stop()
            await side.database.close()


def browser(authority: TestAuthority) -> httpx.AsyncClient:
    """A plain HTTP client that trusts the tests' authority."""
    import ssl

    context = ssl.create_default_context(cafile=str(authority.ca_file))
    return httpx.AsyncClient(verify=context, trust_env=False)
