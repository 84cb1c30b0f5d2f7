"""`python -m dataexchange verify`: one finding per line, exit status 0 only if everything holds."""

import json
from pathlib import Path

import pytest
from dataexchange.__main__ import main
from dataexchange.domain import instants, receipts

from services.dataexchange.tests.unit.exchange_world import NOW, RECEIVER, SENDER, a_package, sealed, world

BUILT = a_package()
AT = instants.to_text(NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "directory.json").write_bytes(world().directory.raw)
    (tmp_path / "operator.public.json").write_text(json.dumps(world().pinned))
    (tmp_path / "receiver.private.json").write_text(json.dumps(world().private[RECEIVER]))
    (tmp_path / "package.zip").write_bytes(BUILT.archive)
    (tmp_path / "package.jwe").write_bytes(sealed(BUILT))
    return tmp_path


def verify(folder: Path, name: str, *more: str) -> int:
    return main(["verify", str(folder / name), "--directory", str(folder / "directory.json"), "--at", AT, *more])


def test_a_good_package(folder, capsys):
    assert verify(folder, "package.zip") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "すべて確かめられました。"
    assert all(line.startswith("✓") for line in lines[:-1])


def test_english_and_json(folder, capsys):
    assert verify(folder, "package.zip", "--language", "en") == 0
    assert capsys.readouterr().out.endswith("Everything holds.\n")
    assert verify(folder, "package.zip", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["good"]
    assert report["package_id"] == BUILT.manifest.package_id
    assert {finding["result"] for finding in report["findings"]} == {"holds"}


def test_a_sealed_package_is_opened_with_the_receivers_keys_only(folder, capsys):
    assert verify(folder, "package.jwe") == 3
    assert "? 開封" in capsys.readouterr().out
    assert verify(folder, "package.jwe", "--keys", str(folder / "receiver.private.json")) == 0


def test_a_damaged_package_says_what_is_wrong(folder, capsys):
    data = bytearray(BUILT.archive)
    data[data.index(b"%PDF") + 20] ^= 1
    (folder / "package.zip").write_bytes(bytes(data))
    assert verify(folder, "package.zip", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in report["findings"] if finding["result"] == "refused"] == ["part_damaged"]


def test_a_directory_without_a_pinned_operator_is_not_trusted(folder, capsys):
    (folder / "operator.public.json").unlink()
    assert verify(folder, "package.zip") == 1
    assert "<directory_untrusted>" in capsys.readouterr().out


def test_receipts(folder, capsys):
    key = world().own(RECEIVER).signing_key(NOW)
    statement = receipts.Statement(
        spec="1.0", kind="received", package_id=BUILT.manifest.package_id, package_sha256="a" * 64,
        organisation=RECEIVER, recipient=SENDER, at=AT,
    )  # fmt: skip
    receipt = receipts.sign(statement, key.key, key.kid, int(NOW.timestamp()))
    (folder / "receipts.txt").write_text(receipt.jws + "\n")
    assert verify(folder, "receipts.txt") == 0
    assert verify(folder, "package.zip", "--receipts", str(folder / "receipts.txt")) == 0
    assert verify(folder, "package.jwe", "--receipts", str(folder / "receipts.txt")) == 1
    (folder / "receipts.txt").write_text(receipt.jws[:-2] + "\n")
    assert verify(folder, "receipts.txt") == 1
    assert "✗ 受領書" in capsys.readouterr().out


def test_wrong_use(folder, capsys):
    assert verify(folder, "nothing.zip") == 2
    assert (
        main(["verify", str(folder / "package.zip"), "--directory", str(folder / "directory.json"), "--at", "x"]) == 2
    )
    capsys.readouterr()
