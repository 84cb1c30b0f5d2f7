"""The stack's authority: who a certificate names, how long it lives, when it is renewed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from komustack import ca
from komustack.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    made = Stack("trial", tmp_path, 20_000)
    made.prepare_folders()
    return made


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_certificate_names_its_identity_and_lives_a_day(stack: Stack) -> None:
    assert set(ca.ensure_certificates(stack)) == {*ca.IDENTITIES, ca.EXCHANGE}
    cert = read(stack.cert("roster"))
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://komu/roster"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert cert.subject.rfc4514_string() == "CN=roster"
    assert cert.not_valid_after_utc - datetime.now(UTC) <= ca.LIFETIME
    cert.verify_directly_issued_by(read(stack.ca_file))


def test_young_certificates_are_left_alone_and_old_ones_renewed_with_the_same_key(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca.ensure_certificates(stack)
    assert ca.ensure_certificates(stack) == []
    before, key = stack.cert("roster").read_bytes(), stack.key("roster").read_bytes()
    monkeypatch.setattr(ca, "RENEW_WHEN_LEFT", ca.LIFETIME + timedelta(hours=1))
    assert "roster" in ca.ensure_certificates(stack)
    assert stack.cert("roster").read_bytes() != before
    assert stack.key("roster").read_bytes() == key


def test_the_exchange_certificate_comes_from_the_authority_that_stacks_share(stack: Stack) -> None:
    ca.ensure_certificates(stack)
    other = Stack("other", stack.komu, 21_000)
    other.prepare_folders()
    ca.ensure_certificates(other)
    shared = read(stack.exchange_ca_file)
    for one in (stack, other):
        read(one.cert(ca.EXCHANGE)).verify_directly_issued_by(shared)
    with pytest.raises(ValueError):
        read(other.cert("roster")).verify_directly_issued_by(read(stack.ca_file))


def test_a_lost_authority_renews_what_it_had_issued(stack: Stack) -> None:
    ca.ensure_certificates(stack)
    stack.exchange_ca_file.unlink()
    assert ca.ensure_certificates(stack) == [ca.EXCHANGE]
