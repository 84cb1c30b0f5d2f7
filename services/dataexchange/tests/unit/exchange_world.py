"""Two boards, an operator and a directory, all in memory: what every test of the exchange starts from."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import uuid_utils
from dataexchange.domain import directory as directories
from dataexchange.domain import keys
from dataexchange.domain.directory import Directory, Jwks, Organisation
from dataexchange.domain.package import building, manifest, records
from joserfc.jwk import ECKey

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SENDER, RECEIVER, STRANGER = "board:139990", "board:149990", "board:159990"


def uuid7() -> UUID:
    return UUID(str(uuid_utils.uuid7()))


@dataclass(frozen=True)
class World:
    operator: ECKey
    private: dict[str, dict[str, Any]]
    directory: Directory

    @property
    def pinned(self) -> dict[str, Any]:
        return dict(self.operator.as_dict(private=False))

    def own(self, organisation: str) -> keys.OwnKeys:
        return keys.load(self.private[organisation])

    def with_keys(self, organisation: str, use: str, **changed: Any) -> Directory:
        """The next directory, in which the organisation's key of that use differs (revoked_at, valid_until …)."""
        organisations = []
        for held in self.directory.content.organisations:
            jwks = [
                key.model_copy(update=changed) if held.id == organisation and key.use == use else key
                for key in held.jwks.keys
            ]
            organisations.append(held.model_copy(update={"jwks": Jwks(keys=jwks)}))
        return self.signed(directories.successor(self.directory, organisations, NOW, timedelta(days=30)))

    def signed(self, content: directories.Content) -> Directory:
        return directories.read(directories.sign(content, self.operator, int(NOW.timestamp())), self.pinned)


@cache
def world() -> World:
    operator = ECKey.generate_key("P-256")
    private = {
        name: keys.generate(name, NOW - timedelta(days=30), timedelta(days=365), algorithm)
        for name, algorithm in ((SENDER, "ES256"), (RECEIVER, "EdDSA"), (STRANGER, "ES256"))
    }
    organisations = [
        Organisation(
            id=name, kind="board", name=f"{name}教育委員会", base_url="https://exchange.example",
            jwks=Jwks.model_validate(keys.public_half(key)),
        )
        for name, key in private.items()
    ]  # fmt: skip
    content = directories.successor(None, organisations, NOW - timedelta(days=1), timedelta(days=30))
    directory = directories.read(
        directories.sign(content, operator, int(NOW.timestamp())), dict(operator.as_dict(private=False))
    )
    return World(operator, private, directory)


def pdf(size: int = 2000) -> bytes:
    return b"%PDF-1.7\n" + os.urandom(size)


def document(
    path: str = "documents/form-1.pdf", role: str = "guidance_record_form_1", data: bytes | None = None
) -> building.Content:
    content = pdf() if data is None else data
    line = manifest.part(path, content, role=role, title="写し", information_class=1, custody="copy")
    return building.Content(line, content)


def record(path: str, role: str, value: dict[str, Any]) -> building.Content:
    data = records.to_bytes(records.SCHEMAS[value["schema"]].model_validate(value))
    line = manifest.part(
        path, data, role=role, title="記録", information_class=1, custody="copy", schema=value["schema"]
    )
    return building.Content(line, data)


def identifiers() -> building.Content:
    value = {"schema": "identifiers/1.0", "person_id": "5f1c1ddc-4b0e-4d6c-9f0b-2f6f3a3f7a11"}
    return record("record/identifiers.json", "identifiers", value)


def a_package(
    *contents: building.Content, sender: str = SENDER, receiver: str = RECEIVER, at: datetime = NOW, **more: Any
) -> building.Built:
    """A good package of two parts unless told otherwise."""
    fields: dict[str, Any] = {
        "package_id": uuid7(), "transfer_id": uuid7(), "kind": "transfer",
        "sender": manifest.Party(organisation=sender, name="青空市教育委員会"),
        "receiver": manifest.Party(organisation=receiver, name="港野市教育委員会"),
        "decided_by": manifest.Decision(office="校長", name="髙﨑 𠮷子", at="2026-11-20T01:00:00Z"),
        "at": at, "signing": world().own(sender).signing_key(at),
    } | more  # fmt: skip
    return building.build(list(contents) or [document(), identifiers()], **fields)


def sealed(built: building.Built, receiver: str = RECEIVER) -> bytes:
    return building.seal(built.archive, world().directory.key_for(receiver, "enc", NOW)).sealed
