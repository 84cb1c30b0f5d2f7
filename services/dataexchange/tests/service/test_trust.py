"""The directory in use: fetched on a schedule, the last good one kept, through restarts, too."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from dataexchange.clients.peers import Peers
from dataexchange.domain import directory as directories
from dataexchange.domain import instants
from dataexchange.domain.ourselves import Ourselves
from dataexchange.domain.refusals import Code, Refusal
from dataexchange.usecases.trust import Trust
from joserfc.jwk import ECKey
from servicekit.clock import FixedClock
from servicekit.db import Database

from services.dataexchange.tests.unit.exchange_world import NOW, RECEIVER, SENDER, world

W = world()


@dataclass
class Spoken:
    tenant: str
    id: str
    key_file: Path


@dataclass
class Place:
    folder: Path
    database: Database
    clock: FixedClock

    def put(self, directory: directories.Directory) -> None:
        (self.folder / "directory.json").write_bytes(directory.raw)

    def trust(self, us: Ourselves) -> Trust:
        spoken = [Spoken("aozora", SENDER, self.folder / "keys.json")]
        return Trust(
            self.database, us, Peers(None), organisations=spoken, directory=str(self.folder / "directory.json"),
            operator=self.folder / "operator.json", every_s=1,
        )  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def place(service_db, tmp_path):
    clock = FixedClock(NOW)
    own = service_db("dataexchange").clone()
    database = Database(own.app_url, application_name="komu-test", clock=clock)
    (tmp_path / "keys.json").write_text(json.dumps(W.private[SENDER]))
    (tmp_path / "operator.json").write_text(json.dumps(W.pinned))
    yield Place(tmp_path, database, clock)
    await database.close()


def following(held: directories.Directory) -> directories.Directory:
    return W.signed(directories.successor(held, held.content.organisations, NOW, timedelta(days=30)))


async def test_directory_and_keys_are_read(place):
    us = Ourselves()
    place.put(W.directory)
    await place.trust(us).refresh()
    assert us.directory(NOW).content.sequence == 1
    assert us.organisation_of("aozora") == SENDER
    assert us.tenant_of(SENDER) == "aozora"


async def test_an_older_one_is_refused_and_the_last_good_one_stays_through_a_restart(place):
    place.put(following(W.directory))
    await place.trust(Ourselves()).refresh()
    place.put(W.directory)
    restarted = Ourselves()
    with pytest.raises(Refusal) as caught:
        await place.trust(restarted).refresh()
    assert caught.value.code == Code.DIRECTORY_OLDER
    assert restarted.directory(NOW).content.sequence == 2


async def test_a_file_that_is_gone_or_garbage_changes_nothing(place):
    us = Ourselves()
    trust = place.trust(us)
    place.put(W.directory)
    await trust.refresh()
    (place.folder / "directory.json").write_text("{}")
    with pytest.raises(Refusal):
        await trust.refresh()
    (place.folder / "directory.json").unlink()
    with pytest.raises(OSError, match="directory"):
        await trust.refresh()
    assert us.directory(NOW).content.sequence == 1


async def test_a_newly_pinned_operator_starts_a_new_chain(place):
    place.put(following(W.directory))
    await place.trust(Ourselves()).refresh()
    operator = ECKey.generate_key("P-256")
    (place.folder / "operator.json").write_text(json.dumps(operator.as_dict(private=False)))
    content = directories.successor(None, W.directory.content.organisations, NOW, timedelta(days=30))
    (place.folder / "directory.json").write_bytes(directories.sign(content, operator, int(NOW.timestamp())))
    us = Ourselves()
    await place.trust(us).refresh()
    assert us.directory(NOW).content.sequence == 1


async def test_past_its_grace_nothing_is_trusted(place):
    us = Ourselves()
    place.put(W.directory)
    await place.trust(us).refresh()
    late = instants.from_text(W.directory.content.expires_at) + timedelta(days=7)
    with pytest.raises(Refusal) as caught:
        us.directory(late)
    assert caught.value.code == Code.DIRECTORY_EXPIRED


async def test_the_keys_of_another_are_not_taken(place):
    (place.folder / "keys.json").write_text(json.dumps(W.private[RECEIVER]))
    place.put(W.directory)
    with pytest.raises(ValueError, match="holds the keys of"):
        await place.trust(Ourselves()).refresh()
