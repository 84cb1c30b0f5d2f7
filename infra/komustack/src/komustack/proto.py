"""`make proto`: the contracts below `proto/komu` as typed Python, into `proto/gen` (committed, never edited).

`--check` generates beside it and tells whether the committed files are the same."""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from komustack.stack import ROOT

PROTO = ROOT / "proto"
GENERATED = PROTO / "gen"


def generate(target: Path) -> None:
    """Raises: SystemExit with the compiler's words, when a contract does not compile."""
    import grpc_tools  # type: ignore[import-untyped]

    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "komu").rglob("*.proto"))
    include = Path(grpc_tools.__file__).parent / "_proto"
    plugins = Path(sys.executable).parent
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"-I{include}"]
    command += [f"--plugin=protoc-gen-{name}={plugins / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    command += [f"--{kind}_out={target}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    done = subprocess.run([*command, *sources], check=False, cwd=PROTO, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    for folder in {path.parent for path in target.rglob("*.py")} | {target / "komu"}:
        while folder != target:
            (folder / "__init__.py").touch()
            folder = folder.parent
    (target / "komu" / "py.typed").touch()


def differences(one: Path, other: Path) -> list[str]:
    """Files that are missing on a side or differ, relative to the folders."""
    names = {
        str(path.relative_to(folder))
        for folder in (one, other)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not (
            (one / name).exists() and (other / name).exists() and filecmp.cmp(one / name, other / name, shallow=False)
        )
    )


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        changed = differences(fresh, GENERATED)
        if "--check" in arguments:
            for name in changed:
                print(
                    f"proto/gen/{name}: 生成し直すと変わります(make proto)/ differs when generated again",
                    file=sys.stderr,
                )
            return 1 if changed else 0
        for name in changed:
            target = GENERATED / name
            target.unlink(missing_ok=True)
            if (fresh / name).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(fresh / name, target)
    print(f"{len(changed)} 個のファイルが変わりました / files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
