"""J1: somebody who has just cloned the repository, and everything that can be in the way."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from komu.roster.v1 import events_pb2
from komustack import nats
from komustack.stack import Stack, is_free
from komustack.supervise import Supervisor
from servicekit.testing import NatsServer, PostgresServer

from tests.support.documented import RUN
from tests.support.people import stack_files
from tests.support.stack import ROOT, RunningStack, folder_for_stacks, komu, started

# -- the two commands --


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """A fresh clone of what is committed; downloads that the checkout has already are shared."""
    with folder_for_stacks() as folder:
        checkout = folder / "komu"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True, capture_output=True)
        try:
            yield checkout
        finally:
            make(checkout, "down", check=False)


def clean_environment() -> dict[str, str]:
    """As of a newcomer's shell, but for the downloads that are shared."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("KOMU_", "VIRTUAL_ENV", "PYTEST"))
    }
    return {**clean, "KOMU_PARTS": os.environ.get("KOMU_PARTS") or str(ROOT / ".komu" / "parts"), "MAKEFLAGS": ""}


def make(checkout: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["make", "--no-print-directory", "STACK=newcomer", *arguments],
        cwd=checkout,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.timeout(900)
def test_a_fresh_clone_is_up_with_one_command(clone: Path) -> None:
    done = make(clone, "up")
    assert "準備ができました" in done.stderr, "progress is told while it works"
    info = json.loads(make(clone, "info").stdout)
    assert info["portal"] in done.stdout
    assert "make code USER=" in done.stdout
    for account in info["accounts"]:
        assert account["username"] in done.stdout
        assert account["password"] in done.stdout
    assert httpx.get(info["portal"], follow_redirects=False).status_code < 500
    assert httpx.get(f"{info['identity']['issuer']}/.well-known/openid-configuration").json()["issuer"]
    for service in info["services"].values():
        assert httpx.get(f"{service['health']}/health/ready").status_code == 200
    code = make(clone, "code", "USER=aozora.es.teacher1").stdout
    assert code[:6].isdigit()
    assert "RUNNING" in make(clone, "status").stdout


def test_info_tells_every_address_account_and_secret(clone: Path) -> None:
    info = json.loads(make(clone, "info").stdout)
    expected = {"portal", "identity", "accounts", "services", "oneroster", "exchange", "nats", "databases", "stack"}
    assert expected <= info.keys()
    assert {"url", "realm"} <= info["identity"].keys()
    assert {"base_url", "organisation", "directory"} <= info["exchange"].keys()
    for account in info["accounts"]:
        assert {"username", "password", "otp_secret", "name", "role", "board", "school"} <= account.keys()
    with psycopg.connect(info["databases"]["roster"]) as connection:
        who = connection.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert who == ("roster_app", False)


@pytest.fixture(scope="module")
def ready(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the documented commands work on: files of their own, and an event that attendance failed on once."""
    home, info = tmp_path_factory.mktemp("documented"), json.loads(make(clone, "info").stdout)
    listed = {"id": "board:139990", "kind": "board", "name": "試験市", "base_url": "https://x.example"}
    (home / "organisations.json").write_text(json.dumps([listed | {"jwks_file": "P.jwks.json"}]))
    subject = "roster.v1.class_roster_changed.aozora"
    sequence, event = asyncio.run(_last_event(clone, subject))
    with psycopg.connect(info["databases"]["attendance"]) as connection:
        connection.execute("SET LOCAL komu.tenant = 'aozora'")
        connection.execute(
            "INSERT INTO dead_letters (tenant_id, id, consumer, event_id, subject, stream, stream_sequence, error,"
            " failures) VALUES ('aozora', gen_random_uuid(), 'on_class_roster_changed', %s, %s, 'roster', %s, 'x', 5)",
            (event, subject, sequence),
        )
    return {"home": str(home), "dsn": info["databases"]["roster"]}


async def _last_event(clone: Path, subject: str) -> tuple[int, str]:
    base = json.loads((clone / ".komu" / "newcomer" / "ports.json").read_text())["base"]
    connection = await nats.connect(Stack("newcomer", clone / ".komu", base))
    try:
        message = await connection.jetstream().get_last_msg("roster", subject)
    finally:
        await connection.close()
    event = events_pb2.ClassRosterChanged.FromString(message.data or b"")
    return message.seq or 0, event.meta.id


@pytest.mark.parametrize("command", RUN)
def test_every_command_of_the_pages_does_what_they_say(clone: Path, ready: dict[str, str], command: str) -> None:
    asked = RUN[command]
    program, *arguments = shlex.split((asked.instead or command).format_map(ready))
    found = {"make": ["make", "STACK=newcomer"], "python": [str(clone / ".venv/bin/python")]}[program]
    running = subprocess.Popen(
        [*found, *arguments], cwd=clone, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    with running:
        assert running.stdout is not None
        said = ""
        for line in running.stdout:
            said += line
            if asked.endless and asked.says in said:
                os.killpg(running.pid, signal.SIGTERM)
    assert asked.says in said
    assert asked.endless or running.returncode == asked.code, said


def test_down_keeps_the_data_and_a_start_of_what_runs_starts_nothing(clone: Path) -> None:
    before = json.loads(make(clone, "info").stdout)
    make(clone, "down")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(before["databases"]["roster"])
    said = make(clone, "up").stderr
    assert json.loads(make(clone, "info").stdout) == before, "same addresses, same passwords"
    assert "取り込んでいます" not in said, "the boards are there"
    assert "データベースの形" not in said, "nothing to migrate"
    running = pids(clone)
    make(clone, "up")
    assert pids(clone) == running


def pids(clone: Path) -> dict[str, str]:
    """Program → pid, as `make status` tells them."""
    found = dict(re.findall(r"(?m)^(\S+) +RUNNING +pid (\d+),", make(clone, "status").stdout))
    assert {"postgres", "nats", "keycloak", "portal", "roster"} <= found.keys()
    return found


def test_reset_forgets_the_data(clone: Path) -> None:
    make(clone, "reset")
    assert not (clone / ".komu" / "newcomer").exists()
    assert make(clone, "info", check=False).returncode != 0


def test_another_python_is_asked_for_in_words(clone: Path) -> None:
    done = make(clone, "PYTHON=python9.9", "up", check=False)
    assert done.returncode != 0
    assert "Python 3.11 以上を入れてください" in done.stderr


# -- what may be in the way; the parts alone show it, and start in seconds --


@pytest.fixture
def home() -> Iterator[Path]:
    with folder_for_stacks() as folder:
        yield folder


def up(home: Path, *options: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    return komu(home, "up", "--stack", "wrong", "--only", "parts", *options, check=check, **environment)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What the person reads: a sentence, not a traceback, and a status that scripts see."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr[done.stderr.index("✗") :]


def test_a_taken_port_is_named_with_its_holder_and_the_way_out(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", next(port for port in range(32_000, 64_000, 61) if is_free(port))))
        taken.listen()
        port = taken.getsockname()[1]
        said = one_sentence(up(home, "--port", str(port), check=False))
        assert str(port) in said
        assert f"pid {os.getpid()}" in said
        assert "PORT=" in said
        assert taken.getsockname()[1] == port, "nobody else's program was touched"


def test_a_broken_download_is_thrown_away_and_told(home: Path) -> None:
    from komustack.parts import KEYCLOAK_VERSION

    archive = home / "parts/maven/org/keycloak/keycloak-quarkus-dist" / KEYCLOAK_VERSION
    archive.mkdir(parents=True)
    broken = archive / f"keycloak-quarkus-dist-{KEYCLOAK_VERSION}.zip"
    broken.write_bytes(b"PK half a download")
    shutil.copytree(_postgres_parts(), home / "parts" / _postgres_parts().name, symlinks=True)
    said = one_sentence(up(home, check=False, KOMU_PARTS=str(home / "parts")))
    assert "壊れています" in said
    assert "もう一度 make up" in said
    assert not broken.exists()


def _postgres_parts() -> Path:
    from komustack.parts import POSTGRES_VERSION

    return Path(os.environ.get("KOMU_PARTS") or ROOT / ".komu" / "parts") / f"postgres-{POSTGRES_VERSION}"


def test_a_start_whose_supervisor_was_killed_is_cleaned_up_by_the_next(home: Path) -> None:
    with started("wrong", "--only", "parts", home=home) as stack:
        supervisor = int((home / "wrong/run/supervisord.pid").read_text())
        os.kill(supervisor, signal.SIGKILL)
        done = up(home)
        assert "前回の起動の残り" in done.stderr
        with psycopg.connect(stack.info["databases"]["roster"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_start_that_was_interrupted_is_completed_by_the_next(home: Path) -> None:
    with started("wrong", "--only", "parts", home=home):
        komu(home, "down", "--stack", "wrong")
    shutil.rmtree(home / "wrong/run")
    (home / "wrong/postgres.partial").mkdir()
    (home / "wrong/postgres/postmaster.pid").write_text(f"{_pid_of_nobody()}\n")
    with started("wrong", "--only", "parts", home=home) as stack, psycopg.connect(stack.info["databases"]["grades"]):
        pass


def _pid_of_nobody() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_two_commands_at_once_do_not_fight(home: Path) -> None:
    from komustack.stack import Stack, only_one

    with only_one(Stack("wrong", home, 20_000), "up"):
        said = one_sentence(up(home, check=False))
    assert "別のコマンド" in said
    assert str(os.getpid()) in said


def test_two_stacks_stand_side_by_side_and_know_each_other(home: Path) -> None:
    """Own ports, own realm (cookies know no ports), own authority: the one's certificates are nothing to the other."""
    with started("left", "--only", "parts", home=home) as left, started("right", "--only", "parts", home=home) as right:
        assert left.info["identity"]["realm"] != right.info["identity"]["realm"]
        assert not _ports(left) & _ports(right)
        foreign = left.info["databases"]["roster"].replace(
            left.info["certificates"]["folder"] + "/roster_app", right.info["certificates"]["folder"] + "/roster_app"
        )
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(foreign)
        komu(home, "down", "--stack", "left")
        with psycopg.connect(right.info["databases"]["roster"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,), "down stops its own stack only"


@pytest.fixture
def given_parts(home: Path, stack_parts: RunningStack) -> Iterator[dict[str, str]]:
    """A PostgreSQL and a NATS of somebody else, and the Keycloak of another stack, which knows our realm."""
    database, stream = PostgresServer(), NatsServer()
    database.start()
    stream.start()
    addresses = {
        "KOMU_POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{database.port}/postgres?sslmode=disable",
        "KOMU_NATS_URL": stream.url,
        "KOMU_IDENTITY_URL": stack_parts.info["identity"]["url"],
    }
    try:
        yield addresses
    finally:
        komu(home, "down", "--stack", "given", check=False)
        stream.remove()
        database.stop()


def test_parts_are_given_by_address_once(home: Path, stack_parts: RunningStack, given_parts: dict[str, str]) -> None:
    up_given = ("up", "--stack", "given", "--only", "roster")
    said = one_sentence(komu(home, *up_given, check=False, **given_parts))
    realm = Path(re.search(r"/\S+-realm\.json", said)[0])  # type: ignore[index]
    other = stack_files(stack_parts)
    shutil.copy(realm, other.home / "keycloak" / "data" / "import")
    Supervisor(other).stop("keycloak")
    stack_parts.komu("up", "--only", "parts")

    komu(home, *up_given, **given_parts)
    info = json.loads(komu(home, "info", "--stack", "given").stdout)
    assert info["identity"]["url"] == given_parts["KOMU_IDENTITY_URL"]
    with psycopg.connect(info["databases"]["roster"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("roster_app",)
    status = komu(home, "status", "--stack", "given").stdout
    assert "roster" in status
    assert not re.search("^(postgres|nats|keycloak)", status, re.MULTILINE)
    # Later commands need the addresses no more.
    assert "otpauth://" in komu(home, "second-factor", "--stack", "given", "--user", "aozora.es.teacher9").stdout
    listed = komu(home, "run", "--stack", "given", "--service", "roster", "--do", "dead-letters list").stdout
    assert "0 dead letters" in listed
    komu(home, "down", "--stack", "given")
    komu(home, *up_given)
    assert httpx.get(f"{info['services']['roster']['health']}/health/ready").status_code == 200


def _ports(stack: RunningStack) -> set[int]:
    return set(json.loads((stack.home / stack.name / "ports.json").read_text())["ports"].values())


def test_a_name_that_cannot_be_a_folder_is_refused(home: Path) -> None:
    for name in ("parts", "../evil", "ひらがな", "A"):
        said = one_sentence(komu(home, "up", "--stack", name, check=False))
        assert "使えません" in said


def test_commands_on_a_stack_that_is_down_say_how_to_start_it(home: Path) -> None:
    for command in ("info", "status", "restart"):
        assert "make up STACK=wrong" in one_sentence(komu(home, command, "--stack", "wrong", check=False))


def test_a_given_database_that_does_not_answer_is_told(home: Path) -> None:
    given = "postgresql://nobody@127.0.0.1:9/postgres?connect_timeout=2"
    said = one_sentence(up(home, check=False, KOMU_POSTGRES_URL=given))
    assert "postgres に接続できません" in said
    komu(home, "down", "--stack", "wrong")


def test_the_keys_and_passwords_are_for_their_owner_only(home: Path) -> None:
    with started("wrong", "--only", "parts", home=home):
        folder = home / "wrong"
        private = [
            *folder.glob("certs/*.key"),
            *folder.glob("certs/*.pk8"),
            *folder.glob("secrets/*"),
            folder / "info.json",
        ]
        private += [*folder.glob("run/programs/*"), *folder.glob("keycloak/data/import/*")]
        assert len(private) > 20
        assert [path.name for path in private if path.stat().st_mode & 0o077] == []
