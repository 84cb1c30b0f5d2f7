"""Keycloak of the stack: built once per machine; a database template and a class archive let it start in seconds."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from komustack import parts, postgres
from komustack.calls import Calls
from komustack.realm import realm
from komustack.say import Problem, say
from komustack.stack import Stack, write_private
from komustack.supervise import Program

_THEMES = Path(__file__).resolve().parents[3] / "keycloak" / "themes"
_MEMORY = [
    "-Xms96m",
    "-Xmx320m",
    "-XX:MetaspaceSize=160m",
    "-XX:MaxMetaspaceSize=320m",
    "-XX:ReservedCodeCacheSize=96m",
]
_JAVA_OPTIONS = [
    *_MEMORY,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Dpicocli.disable.closures=true",
    "-Dquarkus-log-max-startup-records=10000",
]
_BUILD_OPTIONS = ["--db=postgres", "--health-enabled=true", "--metrics-enabled=true"]


def is_external() -> bool:
    return "KOMU_IDENTITY_URL" in os.environ


def ensure_built(stack: Stack) -> Path:
    """Unpacks and builds Keycloak, and makes the template (schema, class archive). Once per machine: about a minute."""
    with (stack.parts / "keycloak.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home = parts.keycloak(stack)
        stamp = home / ".built"
        if not stamp.exists():
            say("Keycloak を準備しています(初回だけ、約20秒)", "preparing Keycloak (first time only, about 20 s)")
            done = subprocess.run(
                [str(home / "bin" / "kc.sh"), "build", *_BUILD_OPTIONS],
                env={**os.environ, "JAVA": str(parts.java()), "JAVA_OPTS": "-Xmx512m -XX:+UseSerialGC"},
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            if done.returncode:
                raise Problem(
                    "Keycloak の準備に失敗しました。.komu/parts を消してから、もう一度 make up を実行してください。",
                    "Building Keycloak failed; remove .komu/parts and run make up again:\n"
                    + (done.stdout + done.stderr)[-800:],
                )
            stamp.touch()
        if not template(stack).exists():
            _make_template(stack, home)
        return home


def template(stack: Stack) -> Path:
    """A PostgreSQL data folder that holds Keycloak's tables already (no realm of ours, no people)."""
    return stack.parts / f"template-{parts.POSTGRES_VERSION}-{parts.KEYCLOAK_VERSION}" / "data"


def _class_archive(stack: Stack, java: Path) -> Path:
    """Archives fit one Java only."""
    version = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=True).stderr
    return stack.parts / f"keycloak-{hashlib.sha256(f'{java}{version}'.encode()).hexdigest()[:12]}.jsa"


def _make_template(stack: Stack, home: Path) -> None:
    """Starts an empty PostgreSQL and Keycloak once, so that no stack has to create Keycloak's hundred tables again."""
    say(
        "Keycloak のデータベースのひな型を作っています(初回だけ、約40秒)",
        "making Keycloak's database template (first time only, about 40 s)",
    )
    final = template(stack)
    draft = final.parent.with_name(final.parent.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    data = draft / "data"
    draft.mkdir(parents=True)
    postgres.initialise(stack, data)
    port, http, management = (_free_port() for _ in range(3))
    argv = [str(parts.postgres(stack) / "bin" / "postgres"), "-D", str(data), "-p", str(port)]
    argv += ["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=32MB"]
    full = postgres.command(argv, data)
    identity = postgres.user() if full is argv else None
    log = (draft / "template.log").open("w")
    database = subprocess.Popen(
        full,
        stdout=log,
        stderr=log,
        cwd=data,
        user=identity[0] if identity else None,
        group=identity[1] if identity else None,
        extra_groups=[] if identity else None,
    )
    try:
        import psycopg

        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        _wait(lambda: _answers(port), 20)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE keycloak LOGIN NOSUPERUSER")
            connection.execute("CREATE DATABASE keycloak OWNER keycloak")
        java = parts.java()
        folder = draft / "keycloak"
        _lay_out(home, folder)
        archive = _class_archive(stack, java)
        base = _base_archive(stack, java)
        command = [
            str(java),
            *base,
            f"-XX:ArchiveClassesAtExit={archive}.partial",
            "-Xlog:cds=off",
            "-Xlog:cds+dynamic=off",
        ]
        command += [*_JAVA_OPTIONS, *_entry(home, folder)]
        command += ["start", "--optimized", "--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={http}"]
        command += [f"--http-management-port={management}", f"--hostname=http://localhost:{http}", "--cache=local"]
        command += [
            f"--db-url=jdbc:postgresql://127.0.0.1:{port}/keycloak",
            "--db-username=keycloak",
            "--log-level=warn",
        ]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, stdin=subprocess.DEVNULL)
        try:
            _wait(lambda: server.poll() is not None or _healthy(management), 180)
            failed = server.poll() is not None
        finally:
            server.terminate()
            server.wait(120)
        if failed:
            raise Problem(
                f"Keycloak の初回の起動に失敗しました。記録 {draft}/template.log を確かめてください。",
                f"Keycloak's first start failed: see {draft}/template.log, then run make up again.",
            )
        if Path(f"{archive}.partial").exists():
            os.replace(f"{archive}.partial", archive)
    finally:
        database.send_signal(signal.SIGINT)
        database.wait(60)
        log.close()
    shutil.rmtree(folder)
    (data / "postmaster.opts").unlink(missing_ok=True)
    shutil.rmtree(final.parent, ignore_errors=True)
    os.replace(draft, final.parent)


def _base_archive(stack: Stack, java: Path) -> list[str]:
    """The wheel's Java carries no class archive of its own: make one, the dynamic archive stands on it."""
    if (java.parent.parent / "lib" / "server" / "classes.jsa").exists():
        return []
    path = _class_archive(stack, java).with_suffix(".base.jsa")
    if not path.exists():
        subprocess.run(
            [str(java), "-Xshare:dump", "-XX:+UseSerialGC", f"-XX:SharedArchiveFile={path}"],
            capture_output=True,
            check=False,
        )
    return [f"-XX:SharedArchiveFile={path}"] if path.exists() else []


def _lay_out(home: Path, folder: Path) -> None:
    """A Keycloak home of the stack's own, so that stacks share the program but neither the import nor scratch files."""
    if (folder / "conf").is_symlink():
        (folder / "conf").unlink()
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    for name in ("lib", "providers", "themes", *(f"conf/{path.name}" for path in (home / "conf").iterdir())):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(home / name)
    # Connections that died with a restarted PostgreSQL are noticed before a person's sign-in runs into them.
    (folder / "conf" / "quarkus.properties").write_text("quarkus.datasource.jdbc.validate-on-borrow=true\n")
    for name in ("data/import", "data/tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def _entry(home: Path, folder: Path) -> list[str]:
    settings = [f"-Dkc.home.dir={folder}", f"-Djboss.server.config.dir={home / 'conf'}"]
    return [*settings, "-cp", str(home / "lib" / "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint"]


def prepare(stack: Stack, calls: Calls) -> None:
    """Home folder and realm file. Keycloak imports the realm at the first start and never updates it from the file."""
    folder = stack.home / "keycloak"
    _lay_out(parts.keycloak(stack), folder)
    document = json.dumps(realm(stack, calls), ensure_ascii=False, indent=1)
    write_private(realm_file(stack), document)


def realm_file(stack: Stack) -> Path:
    """What Keycloak imports at its first start; for a given Keycloak, what its administrator imports."""
    return stack.home / "keycloak" / "data" / "import" / f"{stack.realm}-realm.json"


def program(stack: Stack) -> Program:
    home, folder, java = parts.keycloak(stack), stack.home / "keycloak", parts.java()
    archive = _class_archive(stack, java)
    shared = [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto"] if archive.exists() else []
    argv = [str(java), *shared, "-Xlog:cds=off", "-Xlog:cds+dynamic=off", *_JAVA_OPTIONS, *_entry(home, folder)]
    argv += ["start", "--optimized", "--import-realm", "--cache=local", "--log-level=warn"]
    argv += ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={stack.port('keycloak')}"]
    argv += [f"--http-management-port={stack.port('keycloak_management')}", f"--hostname={stack.identity_url}"]
    argv += [f"--spi-theme--folder--dir={_THEMES}"]
    return Program("keycloak", argv, env=_database(stack), stop_wait_s=30)


def _database(stack: Stack) -> dict[str, str]:
    if postgres.is_external():
        server = re.sub(r"^[^@]*@", "", postgres.admin_url(stack, "keycloak"))
        return {
            "KC_DB_URL": f"jdbc:postgresql://{server}",
            "KC_DB_USERNAME": "keycloak",
            "KC_DB_PASSWORD": stack.secret("postgres-keycloak"),
        }
    certs = f"sslmode=verify-full&sslrootcert={stack.ca_file}"
    certs += f"&sslcert={stack.cert('keycloak')}&sslkey={stack.certs}/keycloak.pk8"
    return {
        "KC_DB_URL": f"jdbc:postgresql://127.0.0.1:{stack.port('postgres')}/keycloak?{certs}",
        "KC_DB_USERNAME": "keycloak",
        "KC_DB_POOL_INITIAL_SIZE": "1",
        "KC_DB_POOL_MAX_SIZE": "20",
    }


def is_ready(stack: Stack) -> bool:
    if is_external():
        return _answers_http(f"{stack.issuer}/.well-known/openid-configuration")
    return _healthy(stack.port("keycloak_management")) and _answers_http(
        f"http://127.0.0.1:{stack.port('keycloak')}/realms/{stack.realm}/.well-known/openid-configuration"
    )


def lacks_realm(stack: Stack) -> bool:
    """It runs, but was started before the realm file lay ready (an interrupted first start): it must start again."""
    return not is_external() and _healthy(stack.port("keycloak_management")) and not is_ready(stack)


def _healthy(port: int) -> bool:
    return _answers_http(f"http://127.0.0.1:{port}/health/ready")


def _answers_http(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(done: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not done() and time.monotonic() < deadline:
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
