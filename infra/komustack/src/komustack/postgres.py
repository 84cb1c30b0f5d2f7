"""PostgreSQL of the stack: TLS with client certificates, one database and two roles per service.

`<service>_owner` migrates, `<service>_app` works: it owns nothing and is no superuser, so row-level security binds it.
KOMU_POSTGRES_URL (a libpq URL of an administrator) puts an existing server in this one's place."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from komustack import parts
from komustack.say import Problem
from komustack.stack import SERVICES, Stack
from komustack.supervise import Program

_NOBODY = 65534
_SETTINGS = Path(__file__).resolve().parents[3] / "postgres" / "postgresql.conf"
_HBA = Path(__file__).resolve().parents[3] / "postgres" / "pg_hba.conf"


def is_external() -> bool:
    return "KOMU_POSTGRES_URL" in os.environ


def user() -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    return (_NOBODY, _NOBODY) if os.getuid() == 0 else None


def data(stack: Stack) -> Path:
    return stack.home / "postgres"


def command(arguments: list[str], reachable: Path) -> list[str]:
    """The command line, with the right to pass through closed folders (a checkout below /root) where needed."""
    if os.getuid() != 0 or (_open_to_others(reachable) and _open_to_others(Path(arguments[0]))):
        return arguments
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Problem(
            f"root で実行中ですが、PostgreSQL 用の一般ユーザーが {reachable} に入れません。"
            "誰でも入れるフォルダに置くか、一般ユーザーで実行してください。",
            f"Running as root, but PostgreSQL's unprivileged user cannot enter {reachable}: move the checkout "
            "or run as a normal user.",
        )
    rights = "+dac_read_search"
    return [
        setpriv,
        f"--reuid={_NOBODY}",
        f"--regid={_NOBODY}",
        "--clear-groups",
        f"--inh-caps={rights}",
        f"--ambient-caps={rights}",
        *arguments,
    ]


def _open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def initialise(stack: Stack, target: Path) -> None:
    """An empty cluster, UTF-8, superuser `postgres` without a password (certificates are asked for)."""
    _give(target)
    initdb = str(parts.postgres(stack) / "bin" / "initdb")
    options = ["-U", "postgres", "-E", "UTF8", "--auth=trust", "--no-instructions", "--no-sync"]
    for locale in ("C.UTF-8", "C"):  # the first knows the case of all letters, but not every system has it
        done = _run(stack, [initdb, "-D", str(target), *options, f"--locale={locale}"], target)
        if done.returncode == 0:
            return
    raise Problem(
        f"PostgreSQL のデータ領域を作れません: {done.stderr.strip()[-300:]}",
        "PostgreSQL's initdb failed: free some disk space or run make reset, then make up again.",
    )


def _give(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)
    if identity := user():
        for path in (target, *target.rglob("*")):
            os.chown(path, *identity, follow_symlinks=False)


def _run(stack: Stack, arguments: list[str], reachable: Path) -> subprocess.CompletedProcess[str]:
    full = command(arguments, reachable)
    plain = full is arguments
    identity = user() if plain else None
    return subprocess.run(
        full,
        capture_output=True,
        text=True,
        check=False,
        cwd=reachable if reachable.is_dir() else reachable.parent,
        user=identity[0] if identity else None,
        group=identity[1] if identity else None,
        extra_groups=[] if identity else None,
    )


def prepare(stack: Stack, template: Path | None) -> None:
    """Data folder (from the template where there is one), settings, certificates. Nothing is lost that is there."""
    home = data(stack)
    if not (home / "PG_VERSION").exists():
        shutil.rmtree(home, ignore_errors=True)
        draft = stack.home / "postgres.partial"
        shutil.rmtree(draft, ignore_errors=True)
        if template is not None:
            shutil.copytree(template, draft)
            _give(draft)
        else:
            initialise(stack, draft)
        os.replace(draft, home)
    refresh_certificates(stack)
    (home / "postgresql.conf").write_text(_SETTINGS.read_text())
    (home / "pg_hba.conf").write_text(_HBA.read_text())
    (home / "pg_ident.conf").write_text("")


def refresh_certificates(stack: Stack) -> None:
    """The server reads its own copies: they must belong to the user it runs as."""
    for source, name in (
        (stack.cert("postgres"), "server.crt"),
        (stack.key("postgres"), "server.key"),
        (stack.ca_file, "ca.pem"),
    ):
        draft = data(stack) / f"{name}.new"
        draft.write_bytes(source.read_bytes())
        draft.chmod(0o600)
        if identity := user():
            os.chown(draft, *identity)
        os.replace(draft, data(stack) / name)


def program(stack: Stack) -> Program:
    arguments = [
        str(parts.postgres(stack) / "bin" / "postgres"),
        "-D",
        str(data(stack)),
        "-p",
        str(stack.port("postgres")),
    ]
    full = command(arguments, data(stack))
    return Program("postgres", full, user=user() if full is arguments else None, stop_signal="INT", stop_wait_s=60)


def admin_url(stack: Stack, database: str = "postgres") -> str:
    if is_external():
        head, _, query = os.environ["KOMU_POSTGRES_URL"].partition("?")
        server = head.rsplit("/", 1)[0] if head.count("/") > 2 else head
        return f"{server}/{database}" + (f"?{query}" if query else "")
    return url(stack, database, "postgres")


def url(stack: Stack, database: str, role: str, driver: str = "postgresql") -> str:
    """The address of a database as a role. Certificates here; on a given server, passwords made for this stack."""
    if is_external():
        location = admin_url(stack, database).split("@")[-1]
        return f"{driver}://{role}:{quote(stack.secret(f'postgres-{role}'))}@{location}"
    return (
        f"{driver}://{role}@127.0.0.1:{stack.port('postgres')}/{database}?sslmode=verify-full"
        f"&sslcert={quote(str(stack.cert(role)))}&sslkey={quote(str(stack.key(role)))}&sslrootcert={quote(str(stack.ca_file))}"
    )


def is_ready(stack: Stack) -> bool:
    try:
        psycopg.connect(admin_url(stack), connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def create_databases(stack: Stack) -> None:
    """Databases and roles, those that are missing. The application role may connect and stage in temporary tables;
    what else it may do is granted by the migrations."""
    with psycopg.connect(admin_url(stack), autocommit=True) as connection:
        for role in [*(f"{name}_{kind}" for name in SERVICES for kind in ("owner", "app")), "keycloak"]:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS").format(sql.Identifier(role)))
            if is_external():
                password = sql.Literal(stack.secret(f"postgres-{role}"))
                connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), password))
        for database, owner, guest in [
            *((name, f"{name}_owner", f"{name}_app") for name in SERVICES),
            ("keycloak", "keycloak", None),
        ]:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(owner))
                )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
            if guest:
                connection.execute(
                    sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                        sql.Identifier(database), sql.Identifier(guest)
                    )
                )


def reload(stack: Stack) -> None:
    """Makes the running server read its certificates and settings again."""
    with psycopg.connect(admin_url(stack), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
