"""`python -m dataexchange directory …`: keep the signed directory of a local stack, or of a prefecture's trial.

`keygen` makes the operator's key; `build` writes the next directory from a list of organisations and signs it; `sign`
signs a content file as it is; `show` reads one. In production the operator's key belongs in an HSM and `sign` there.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from dataexchange.commands.verify import OPERATOR_FILE
from dataexchange.domain import directory as directories
from dataexchange.domain import instants, jose, keys
from dataexchange.domain.directory import Content, Directory, Jwks, ListedSchool, Organisation
from dataexchange.domain.refusals import Refusal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    keygen = actions.add_parser("keygen", help="the operator's key: FOLDER/operator.private.json, operator.public.json")
    keygen.add_argument("folder", type=Path)
    build = actions.add_parser("build", help="the next directory from a list of organisations")
    build.add_argument(
        "organisations", type=Path, help="JSON: [{id, kind, name, base_url, jwks_file, schools?, status?}]"
    )
    build.add_argument("--operator", type=Path, required=True, help="operator.private.json")
    build.add_argument("--out", type=Path, required=True, help="directory.json; an existing one is its predecessor")
    build.add_argument("--days", type=int, default=30, help="until it expires")
    sign = actions.add_parser("sign", help="sign a content file as it is")
    sign.add_argument("content", type=Path)
    sign.add_argument("--operator", type=Path, required=True)
    sign.add_argument("--out", type=Path, required=True)
    show = actions.add_parser("show", help="read a directory")
    show.add_argument("directory", type=Path)
    show.add_argument("--operator", type=Path, help="operator.public.json; else the one beside it")


def add_key_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    generate = actions.add_parser("generate", help="a new key file of an organisation, with its public half")
    generate.add_argument("organisation", help="e.g. board:139990")
    generate.add_argument("--private", type=Path, required=True, help="written with mode 600")
    generate.add_argument("--public", type=Path, required=True, help="the JWKS for the directory")
    generate.add_argument("--days", type=int, default=400)
    generate.add_argument("--algorithm", choices=("ES256", "EdDSA"), default="ES256")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, or 1 with the reason on stderr."""
    try:
        return {"keygen": _keygen, "build": _build, "sign": _sign, "show": _show}[arguments.action](arguments)
    except Refusal as refusal:
        print(refusal.say("ja"), file=sys.stderr)
    except (OSError, ValueError, KeyError) as error:
        print(error, file=sys.stderr)
    return 1


def run_keys(arguments: argparse.Namespace) -> int:
    made = keys.generate(arguments.organisation, _now(), timedelta(days=arguments.days), arguments.algorithm)
    write_private(arguments.private, made)
    arguments.public.parent.mkdir(parents=True, exist_ok=True)
    arguments.public.write_text(json.dumps(keys.public_half(made), indent=1))
    return 0


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def write_private(path: Path, value: dict[str, Any]) -> None:
    """Readable by its owner only, from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=1)


def _keygen(arguments: argparse.Namespace) -> int:
    key = ECKey.generate_key("P-256")
    write_private(arguments.folder / "operator.private.json", dict(key.as_dict(private=True)))
    (arguments.folder / OPERATOR_FILE).write_text(json.dumps(key.as_dict(private=False), indent=1))
    return 0


def organisations_of(listed: list[dict[str, Any]], base: Path) -> list[Organisation]:
    """The directory's entries from a list file; `jwks_file` is relative to it."""
    made = []
    for entry in listed:
        jwks = Jwks.model_validate(json.loads((base / entry["jwks_file"]).read_bytes()))
        schools = [ListedSchool.model_validate(school) for school in entry.get("schools", [])]
        made.append(Organisation(
            id=entry["id"], kind=entry["kind"], name=entry["name"], base_url=entry["base_url"].rstrip("/"),
            status=entry.get("status", "active"), jwks=jwks, schools=schools,
        ))  # fmt: skip
    return made


def _build(arguments: argparse.Namespace) -> int:
    operator = jose.key_object(json.loads(arguments.operator.read_bytes()))
    organisations = organisations_of(json.loads(arguments.organisations.read_bytes()), arguments.organisations.parent)
    held: Directory | None = None
    if arguments.out.exists():
        held = directories.read(arguments.out.read_bytes(), operator.as_dict(private=False))
    now, lasts = _now(), timedelta(days=arguments.days)
    unchanged = held is not None and held.content.organisations == organisations
    if unchanged and held is not None and now + lasts / 2 < instants.from_text(held.content.expires_at):
        return 0  # nothing new to say, and the one in force is good for long enough
    content = directories.successor(held, organisations, now, lasts)
    _write(arguments.out, directories.sign(content, operator, int(now.timestamp())))
    return 0


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: readers poll the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(path)


def _sign(arguments: argparse.Namespace) -> int:
    operator = jose.key_object(json.loads(arguments.operator.read_bytes()))
    content = Content.model_validate(json.loads(arguments.content.read_bytes()))
    _write(arguments.out, directories.sign(content, operator, int(_now().timestamp())))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    operator = json.loads((arguments.operator or arguments.directory.parent / OPERATOR_FILE).read_bytes())
    directory = directories.read(arguments.directory.read_bytes(), operator)
    print(json.dumps(directory.content.model_dump(exclude_none=True), ensure_ascii=False, indent=1))
    return 0
