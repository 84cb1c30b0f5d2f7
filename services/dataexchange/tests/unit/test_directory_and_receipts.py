"""The trust directory and the receipts: chain, sequence, expiry, pinned key; nothing forged or reordered passes."""

import json
from datetime import timedelta

import pytest
import rfc8785
from dataexchange.domain import directory as directories
from dataexchange.domain import instants, receipts
from dataexchange.domain.refusals import Code, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from services.dataexchange.tests.unit.exchange_world import NOW, RECEIVER, SENDER, uuid7, world

W = world()


def after(held: directories.Directory, at=NOW) -> directories.Directory:
    return W.signed(directories.successor(held, held.content.organisations, at, timedelta(days=30)))


def refused(code: Code, raw: bytes, held=None, at=NOW, operator=None) -> None:
    with pytest.raises(Refusal) as caught:
        directories.accept(raw, operator or W.pinned, held, at)
    assert caught.value.code == code, caught.value


def test_the_next_directory_replaces_the_one_held():
    second = after(W.directory)
    fourth = after(after(second))
    assert directories.accept(second.raw, W.pinned, W.directory, NOW).content.sequence == 2
    assert directories.accept(fourth.raw, W.pinned, W.directory, NOW).content.sequence == 4
    assert directories.accept(second.raw, W.pinned, second, NOW) is not None


def test_a_lower_sequence_is_refused():
    refused(Code.DIRECTORY_OLDER, W.directory.raw, held=after(W.directory))


def test_a_second_directory_of_one_sequence_is_refused():
    refused(Code.DIRECTORY_CHAIN_BROKEN, after(W.directory, NOW + timedelta(1)).raw, held=after(W.directory))


def test_a_chain_that_passes_by_the_one_held_is_refused():
    other = after(after(W.directory, NOW + timedelta(1)))
    refused(Code.DIRECTORY_CHAIN_BROKEN, other.raw, held=after(W.directory))


def test_an_expired_directory_is_good_for_seven_days_more():
    expires = instants.from_text(W.directory.content.expires_at)
    directories.accept(W.directory.raw, W.pinned, None, expires + timedelta(days=6, hours=23))
    refused(Code.DIRECTORY_EXPIRED, W.directory.raw, at=expires + timedelta(days=7))


def test_only_the_pinned_operator_signs():
    stranger = ECKey.generate_key("P-256")
    forged = directories.sign(W.directory.content, stranger, int(NOW.timestamp()))
    refused(Code.DIRECTORY_UNTRUSTED, forged)
    refused(Code.DIRECTORY_UNTRUSTED, W.directory.raw, operator=stranger.as_dict(private=False))


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(W.directory.raw) * 8 - 1))
def test_no_bit_of_a_directory_can_change(bit):
    changed = bytearray(W.directory.raw)
    changed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(Refusal):
        directories.read(bytes(changed), W.pinned)


def test_another_spelling_of_the_same_directory_is_refused():
    refused(Code.DIRECTORY_MALFORMED, W.directory.raw + b"\n")
    refused(Code.DIRECTORY_MALFORMED, json.dumps(json.loads(W.directory.raw), indent=1).encode())
    refused(Code.DIRECTORY_MALFORMED, rfc8785.dumps(json.loads(W.directory.raw) | {"header": {}}))


def test_a_suspended_organisation_speaks_for_nobody():
    organisations = [
        held.model_copy(update={"status": "suspended"}) if held.id == SENDER else held
        for held in W.directory.content.organisations
    ]
    suspended = W.signed(directories.successor(W.directory, organisations, NOW, timedelta(days=30)))
    kid = next(iter(W.own(SENDER).signing))
    with pytest.raises(Refusal) as caught:
        suspended.reliable_key(kid, "sig", NOW)
    assert caught.value.code == Code.ORGANISATION_SUSPENDED


def test_a_key_is_good_for_its_use_only():
    kid = next(iter(W.own(SENDER).opening))
    with pytest.raises(Refusal) as caught:
        W.directory.reliable_key(kid, "sig", NOW)
    assert caught.value.code == Code.KEY_WRONG_USE


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

PACKAGE = str(uuid7())


def statement(kind: str, previous: receipts.Receipt | None = None, minutes: int = 0, **more) -> receipts.Statement:
    fields = {
        "spec": "1.0", "kind": kind, "package_id": PACKAGE, "package_sha256": "a" * 64, "organisation": RECEIVER,
        "recipient": SENDER, "at": instants.to_text(NOW + timedelta(minutes=minutes)),
        "previous": previous.sha256 if previous else None,
        "accepted_on": "2026-12-01" if kind == "accepted" else None, "code": "declined" if kind == "refused" else None,
    } | more  # fmt: skip
    return receipts.Statement(**fields)


def signed(made: receipts.Statement, by: str = RECEIVER) -> receipts.Receipt:
    key = W.own(by).signing_key(NOW)
    return receipts.sign(made, key.key, key.kid, int(instants.from_text(made.at).timestamp()))


def test_receipts_of_a_package_form_a_chain():
    received = signed(statement("received"))
    accepted = signed(statement("accepted", received, minutes=10))
    again = [receipts.read(receipt.jws, W.directory, NOW + timedelta(hours=1)) for receipt in (received, accepted)]
    receipts.check_chain(again)


def broken(code: Code, *chain: receipts.Receipt) -> None:
    with pytest.raises(Refusal) as caught:
        receipts.check_chain(chain)
    assert caught.value.code == code


def test_left_out_reordered_repeated_and_replaced_receipts_are_noticed():
    received = signed(statement("received"))
    accepted = signed(statement("accepted", received, minutes=10))
    broken(Code.RECEIPT_CHAIN_BROKEN, accepted)
    broken(Code.RECEIPT_CHAIN_BROKEN, accepted, received)
    broken(Code.RECEIPT_CHAIN_BROKEN, received, received)
    broken(Code.RECEIPT_CHAIN_BROKEN, received, accepted, signed(statement("refused", accepted, minutes=20)))
    broken(Code.RECEIPT_CHAIN_BROKEN, received, signed(statement("accepted", received, minutes=-10)))
    other = signed(statement("accepted", received, minutes=10, package_sha256="b" * 64))
    broken(Code.RECEIPT_OTHER_PACKAGE, received, other)


def test_a_receipt_is_signed_by_the_organisation_it_speaks_for():
    forged = signed(statement("received"), by=SENDER)
    with pytest.raises(Refusal) as caught:
        receipts.read(forged.jws, W.directory, NOW)
    assert caught.value.code == Code.RECEIPT_INVALID


def test_a_pushed_receipt_needs_a_key_that_is_good_now():
    revoked = W.with_keys(RECEIVER, "sig", revoked_at=instants.to_text(NOW + timedelta(minutes=1)))
    receipt = signed(statement("received"))
    receipts.read(receipt.jws, revoked, NOW + timedelta(hours=1))
    with pytest.raises(Refusal) as caught:
        receipts.read_pushed(receipt.jws, revoked, NOW + timedelta(hours=1))
    assert caught.value.code == Code.KEY_REVOKED


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bit_of_a_receipt_can_change(data):
    jws = signed(statement("received")).jws
    bit = data.draw(st.integers(0, len(jws) * 8 - 1))
    changed = bytearray(jws.encode())
    changed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(Refusal):
        receipts.read(changed.decode("latin-1"), W.directory, NOW)
