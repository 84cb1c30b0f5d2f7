"""Makes `.venv` for this checkout: `python3 infra/komustack/bootstrap.py`. Standard library only.

Installs `requirements-dev.lock` (every file checked by its hash) and puts the source folders on the path. Does nothing
when the lock has not changed since. The installer is uv, itself locked; where uv cannot be had, pip does the same."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements-dev.lock"
UV_LOCK = Path(__file__).with_name("uv.lock.txt")
SOURCES = ["proto/gen", "libs/*/src", "services/*/src", "infra/komustack/src"]


def fail(japanese: str, english: str) -> NoReturn:
    sys.exit(f"\n✗ {japanese}\n  {english}")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this is what tells the person
        fail(
            f"Python 3.11 以上が必要です(今は {sys.version.split()[0]})。make PYTHON=python3.11 up "
            "のように指定してください。",
            f"Python 3.11 or newer is needed (this is {sys.version.split()[0]}): for instance make "
            "PYTHON=python3.11 up.",
        )
    python = VENV / "bin" / "python"
    stamp = VENV / ".komu-lock"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode() + str(ROOT).encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted and python.exists()):
        install(python)
        stamp.write_text(wanted)
    write_source_paths(python)


def install(python: Path) -> None:
    if not works(python):
        print("Python の仮想環境を作っています / creating the virtual environment", file=sys.stderr, flush=True)
        try:
            venv.create(VENV, with_pip=True, clear=VENV.exists())
        except (subprocess.CalledProcessError, OSError) as error:
            fail(
                f"仮想環境を作れません({error})。Debian/Ubuntu では python3-venv を入れてください。",
                "The virtual environment could not be made: on Debian or Ubuntu install python3-venv.",
            )
    print("Python パッケージを入れています / installing the locked Python packages", file=sys.stderr, flush=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    quiet = {**os.environ, "PIP_NO_INPUT": "1"}
    got_uv = subprocess.run([*pip, "-r", str(UV_LOCK)], env=quiet, capture_output=True, check=False).returncode == 0
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(python), "--require-hashes"]
    done = subprocess.run([*(uv if got_uv else pip), "-r", str(LOCK)], env=quiet, check=False)
    if done.returncode and got_uv:
        done = subprocess.run([*pip, "-r", str(LOCK)], env=quiet, check=False)
    if done.returncode:
        fail(
            "Python パッケージを入れられません。ネットワーク接続(プロキシ設定)と空き容量を確かめて、"
            "もう一度実行してください。",
            "The Python packages could not be installed: check the network (proxy) and the free disk space, "
            "then try again.",
        )


def works(python: Path) -> bool:
    """A virtual environment breaks when the Python it was made from goes away."""
    try:
        return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def write_source_paths(python: Path) -> None:
    version = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    lines = [str(path) for pattern in SOURCES for path in sorted(ROOT.glob(pattern))]
    target = Path(version) / "komu.pth"
    text = "\n".join(lines) + "\n"
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


if __name__ == "__main__":
    main()
