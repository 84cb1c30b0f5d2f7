"""Changing a stack: `make up`, `make down`, `make reset`, `make restart`, `make second-factor`."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from komustack import (
    ca,
    demo,
    directory,
    keycloak,
    nats,
    oneroster,
    parts,
    postgres,
    realm_changes,
    second_factor,
    services,
)
from komustack.calls import Calls, read_calls
from komustack.info import information
from komustack.say import Problem, result, say
from komustack.stack import (
    ROOT,
    Stack,
    forget_ports,
    is_free,
    only_one,
    open_stack,
    remember_given_parts,
    remember_ports,
)
from komustack.supervise import Program, Supervisor, end_leftovers, write_configuration
from komustack.watching import running_stack

_FOR_SERVICES_S = 180
_FOR_PARTS_S = 180


def up(name: str, base_port: int | None, only: str | None = None) -> None:
    """Brings the stack up, or completes one that is half up.

    `only` is for work on a part of it: `parts` leaves the services out, `roster,portal` starts just these."""
    stack = open_stack(name, base_port)
    with only_one(stack, "up"):
        began = time.monotonic()
        _move_if_asked(stack, base_port)
        stack.prepare_folders()
        calls = read_calls(stack.calls_file)
        running = [name for name in services.present() if only is None or name in only.split(",")]
        supervisor = Supervisor(stack)
        if not supervisor.is_up():
            end_leftovers(stack)
            _refuse_taken_ports(stack)
        remember_ports(stack)
        _prepare(stack, calls, serving=bool(running))
        _start(stack, calls, supervisor, running)
        remember_given_parts(stack)
        if running:
            _load_demo(stack, calls, running)
            _enter_partners(stack, calls, running)
        (stack.home / "info.json").write_text(json.dumps(information(stack), ensure_ascii=False, indent=1))
        (stack.home / "info.json").chmod(0o600)
        say("準備ができました", f"ready after {time.monotonic() - began:.1f} s")
    _welcome(stack, running)


def prepare() -> None:
    """Downloads and builds what every stack shares, without starting anything."""
    stack = open_stack("main")
    stack.parts.mkdir(parents=True, exist_ok=True)
    parts.web_build(stack)
    parts.postgres(stack)
    keycloak.ensure_built(stack)


def _move_if_asked(stack: Stack, base_port: int | None) -> None:
    """A stack keeps its ports: its realm names the portal's address and is made once."""
    remembered = stack.home / "ports.json"
    if base_port is None or not remembered.exists() or json.loads(remembered.read_text())["base"] == base_port:
        return
    raise Problem(
        f"スタック「{stack.name}」は別のポートで作られています。ポートを変えるには make reset "
        f"STACK={stack.name} のあとで起動してください(データは消えます)。",
        f"Stack {stack.name} was made for other ports: run make reset STACK={stack.name} first (its data goes), "
        "then make up.",
    )


def _refuse_taken_ports(stack: Stack) -> None:
    for what, port in stack.ports.items():
        if is_free(port):
            continue
        holder = _holder_of(port)
        raise Problem(
            f"ポート {port}({what} 用)は{holder}が使っています。それを止めるか、make up STACK={stack.name} "
            "PORT=8400 のように別のポートを指定してください。",
            f"Port {port} (for {what}) is taken by {holder}: stop it, or choose other ports with make up "
            f"STACK={stack.name} PORT=8400.",
        )


def _holder_of(port: int) -> str:
    """Name and pid of the program that listens on the port, as far as this user may see it."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            cells = line.split()
            if cells[3] == "0A" and int(cells[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{cells[9]}]")
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(entry) in sockets:
                process = entry.parents[1]
                return f" {(process / 'comm').read_text().strip()}(pid {process.name})"
        except OSError:
            continue
    return "ほかのプログラム (another program)"


def _prepare(stack: Stack, calls: Calls, *, serving: bool) -> None:
    """Everything that has to lie ready before the first process starts."""
    if ca.ensure_certificates(stack):
        say("証明書を発行しました", "certificates issued")
    with ThreadPoolExecutor(2) as pool:
        pages = pool.submit(parts.web_build, stack) if serving else None
        if not postgres.is_external():
            parts.postgres(stack)
        if not keycloak.is_external():
            keycloak.ensure_built(stack)
        if not postgres.is_external():
            postgres.prepare(stack, keycloak.template(stack) if keycloak.template(stack).exists() else None)
        if not nats.is_external():
            nats.prepare(stack, calls)
        realm_changes.note(stack, calls)
        keycloak.prepare(stack, calls)
        if serving:
            directory.publish(stack)
        if pages:
            pages.result()


def _programs(stack: Stack, calls: Calls, running: list[str]) -> list[Program]:
    own: list[tuple[bool, Callable[[], Program]]] = [
        (not postgres.is_external(), lambda: postgres.program(stack)),
        (not nats.is_external(), lambda: nats.program(stack)),
        (not keycloak.is_external(), lambda: keycloak.program(stack)),
    ]
    parts_programs = [make() for wanted, make in own if wanted]
    return [*parts_programs, services.renewer(stack), *(services.program(stack, name, calls) for name in running)]


def _start(stack: Stack, calls: Calls, supervisor: Supervisor, running: list[str]) -> None:
    """Parts, then migrations while Keycloak still wakes up, then the services, all at once."""
    programs = _programs(stack, calls, running)
    names = {program.name for program in programs}
    write_configuration(stack, programs)
    if supervisor.is_up():
        supervisor.take_over()
    else:
        supervisor.start()
    say("PostgreSQL・NATS・Keycloak を起動しています", "starting PostgreSQL, NATS and Keycloak")
    supervisor.ensure(*(name for name in ("postgres", "nats") if name in names))
    _await(stack, supervisor, names, "postgres", lambda: postgres.is_ready(stack))
    postgres.create_databases(stack)
    if keycloak.lacks_realm(stack):
        supervisor.stop("keycloak")
    if "keycloak" in names:
        realm_changes.apply(
            stack,
            calls,
            stop=lambda: supervisor.stop("keycloak"),
            start=lambda: _start_keycloak(stack, supervisor, names),
        )
    supervisor.ensure(*(name for name in ("keycloak", "renewer") if name in names))
    _await(stack, supervisor, names, "nats", lambda: nats.is_ready(stack))
    nats.create_streams(stack, calls)
    _migrate_what_changed(stack, running)
    if running:
        say(f"サービスを起動しています({'・'.join(running)})", "starting the services")
        supervisor.ensure(*running)  # beside Keycloak, which they first need when somebody signs in
    _await(stack, supervisor, names, "keycloak", lambda: keycloak.is_ready(stack))
    for service in running:
        supervisor.wait_ready(service, lambda service=service: _is_ready(stack, service), _FOR_SERVICES_S)  # type: ignore[misc]


def _start_keycloak(stack: Stack, supervisor: Supervisor, names: set[str]) -> None:
    supervisor.ensure("keycloak")
    _await(stack, supervisor, names, "keycloak", lambda: keycloak.is_ready(stack))


def _await(stack: Stack, supervisor: Supervisor, names: set[str], part: str, ready: Callable[[], bool]) -> None:
    if part in names:
        supervisor.wait_ready(part, ready, _FOR_PARTS_S)
    elif not ready():
        if part == "keycloak":
            file = keycloak.realm_file(stack)
            raise Problem(
                f"指定された Keycloak({stack.identity_url})にレルム {stack.realm} がないか、応答がありません。{file} "
                "を取り込んでから、もう一度 make up を実行してください。",
                f"The given Keycloak has no realm {stack.realm} or is away: import {file}, then make up again.",
            )
        raise Problem(
            f"指定された {part} に接続できません。環境変数のアドレスを確かめてください。",
            f"The given {part} does not answer: check its address in the environment.",
        )


def _migrate_what_changed(stack: Stack, running: list[str]) -> None:
    """Migrations are quick, starting Python for each service is not: all run in this process, as `python -m <service>
    migrate` does it, and those whose files are as before are left out."""
    stamp = stack.home / "migrated.json"
    done: dict[str, str] = json.loads(stamp.read_text()) if stamp.exists() else {}
    now = {service: _migrations_digest(service) for service in running}
    due = [service for service in running if done.get(service) != now[service]]
    if not due:
        return
    say("データベースの形を整えています", f"migrating {', '.join(due)}")
    for service in due:
        _migrate(stack, service)
    stamp.write_text(json.dumps(done | now))


def _migrations_digest(service: str) -> str:
    digest = hashlib.sha256()
    for folder in (ROOT / "services" / service / "migrations", ROOT / "libs" / "servicekit" / "src"):
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _migrate(stack: Stack, service: str) -> None:
    from servicekit.migrate import upgrade  # only who migrates waits for SQLAlchemy

    try:
        upgrade(service, postgres.url(stack, service, f"{service}_owner", "postgresql+psycopg"))
    except Exception as error:
        log = stack.logs / f"{service}-migrate.log"
        log.write_text("".join(traceback.format_exception(error)))
        raise Problem(
            f"{service} のデータベース移行に失敗しました。記録 {log} を確かめてください。",
            f"Migrating {service} failed (whole story in {log}): {str(error).splitlines()[0]}",
        ) from error


def _run_service(stack: Stack, service: str, arguments: list[str], calls: Calls) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", service, *arguments],
        env={**os.environ, **services.migration_environment(stack, service, calls)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _is_ready(stack: Stack, service: str) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{stack.port(f'{service}_health')}/health/ready", timeout=3
        ) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _load_demo(stack: Stack, calls: Calls, running: list[str]) -> None:
    """The two boards, through the same import that a board's administrator uses; then their learning tools."""
    _load_boards(stack, calls, running)
    loaded = (stack.home / "demo-loaded").exists()
    if loaded and "learning" in running and not (stack.learning_demo / "lti.json").exists():
        _demo(stack, "learning", ["--out", str(stack.learning_demo)], calls)


def _load_boards(stack: Stack, calls: Calls, running: list[str]) -> None:
    """Once: a marker remembers it."""
    marker = stack.home / "demo-loaded"
    if marker.exists():
        return
    if not {"roster", "dataexchange"} <= set(running):
        say(
            "デモの教育委員会は読み込みません(roster と dataexchange が動いているときに読み込みます)",
            "demo boards are left out: they are loaded once roster and dataexchange run",
        )
        return
    say("デモの教育委員会を取り込んでいます", "loading the demo boards through the OneRoster import")
    _demo(stack, "dataexchange", [], calls)
    marker.touch()


def _demo(stack: Stack, service: str, more: list[str], calls: Calls) -> None:
    """A service's own command `demo`, which signs in as people do."""
    info = stack.run / "demo-info.json"
    info.write_text(json.dumps(information(stack), ensure_ascii=False))
    info.chmod(0o600)
    done = _run_service(stack, service, ["demo", "--stack-info", str(info), *more], calls)
    (stack.logs / f"demo-{service}.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        tail = "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-6:])
        raise Problem(
            f"デモの用意に失敗しました。記録 {stack.logs}/demo-{service}.log を確かめてください(サービスは動作中)。",
            f"Loading the demo failed (the services are running):\n    {tail}",
        )


def _enter_partners(stack: Stack, calls: Calls, running: list[str]) -> None:
    """A partner for each board, by the product's own command. Once: a marker remembers it."""
    marker = stack.home / "partners-entered"
    if marker.exists() or "dataexchange" not in running:
        return
    for board in demo.boards_of(stack.name):
        done = _run_service(stack, "dataexchange", oneroster.arguments(stack, board), calls)
        if done.returncode:
            tail = (done.stdout + done.stderr).strip().splitlines()[-1:]
            raise Problem("見本の連携先を登録できませんでした。", f"The demo partner could not be entered: {tail}")
    marker.touch()


def _welcome(stack: Stack, running: list[str]) -> None:
    if "portal" not in running:
        result(f"Keycloak  {stack.identity_url}   realm {stack.realm}")
        result(f"make info STACK={stack.name} で全アドレスを表示します / prints every address")
        return
    option = "" if stack.name == "main" else f" STACK={stack.name}"
    result()
    result(f"  校務 / Komu   {stack.portal_url}")
    result()
    result("  デモの利用者 / demo accounts")
    for person in demo.accounts(stack.name):
        place = person.school.name if person.school else person.board.name
        note = "" if person.second_factor else "(二つ目の要素なし / no second factor)"
        result(
            f"    {person.username:22} {demo.password(stack, person.username)}   {person.name}({place}) "
            f"{person.role} {note}"
        )
    result()
    result(f"  ワンタイムコード / one-time code:   make code USER={demo.accounts(stack.name)[4].username}{option}")
    result(
        f"  止める / stop: make down{option}     データを消す / forget data: make reset{option}     全情報 / "
        f"all: make info{option}"
    )


def down(name: str) -> None:
    """Stops what this stack started, and nothing else."""
    stack = open_stack(name)
    if not stack.home.exists():
        say(f"スタック「{name}」はありません", f"there is no stack {name}")
        return
    with only_one(stack, "down"):
        _stop(stack)
    say(f"スタック「{name}」を止めました", f"stack {name} is down")


def _stop(stack: Stack) -> None:
    supervisor = Supervisor(stack)
    if supervisor.is_up():
        say("停止しています", "stopping")
        supervisor.stop(*(name for name in supervisor.states() if name not in {"postgres", "nats"}))
        supervisor.shutdown()
    end_leftovers(stack)


def reset(name: str) -> None:
    """Stops the stack and forgets its data, secrets and certificates. Downloads stay."""
    stack = open_stack(name)
    if not stack.home.exists():
        say(f"スタック「{name}」はありません", f"there is no stack {name}")
        return
    with only_one(stack, "reset"):
        _stop(stack)
        forget_ports(stack)
        directory.withdraw(stack)
        shutil.rmtree(stack.home)
    say(f"スタック「{name}」のデータを消しました", f"the data of stack {name} is gone")


def restart(name: str, services_named: list[str]) -> None:
    """Starts services again, for instance after a change of code."""
    stack = running_stack(name)
    with only_one(stack, "restart"):
        supervisor = Supervisor(stack)
        wanted = services_named or [name for name in supervisor.states() if name in services.present()]
        supervisor.stop(*wanted)
        supervisor.ensure(*wanted)
        for service in wanted:
            supervisor.wait_ready(service, lambda service=service: _is_ready(stack, service), _FOR_SERVICES_S)  # type: ignore[misc]


def run(name: str, service: str, arguments: list[str]) -> int:
    """A command of a service's program, beside the running one and with its environment; its exit code."""
    stack = running_stack(name)
    if service not in services.present():
        raise Problem(
            f"SERVICE= にサービスの名前を指定してください({'・'.join(services.present())})。",
            f"Name a service: SERVICE={services.present()[0]} (there are {', '.join(services.present())}).",
        )
    environment = {**os.environ, **services.environment(stack, service, read_calls(stack.calls_file))}
    program = [sys.executable, "-m", service, *arguments]
    return subprocess.run(program, env=environment, cwd=ROOT, check=False).returncode


def issue_second_factor(name: str, username: str) -> None:
    """The administrator's one-time act for a person who has no second factor yet."""
    stack = running_stack(name)
    address = second_factor.issue(stack, username)
    say(
        f"{username} に二つ目の要素を発行しました。本人を確かめて手渡してください",
        "a second factor was issued: hand it over in person",
    )
    result(address)
