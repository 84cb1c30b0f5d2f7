"""The organisations this deployment speaks for, and the directory it trusts at the moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from joserfc.jwk import ECKey
from servicekit.errors import Invalid, Unavailable

from dataexchange.domain import instants, receipts
from dataexchange.domain.directory import Directory, Organisation
from dataexchange.domain.keys import OwnKeys
from dataexchange.domain.refusals import Code, Refusal
from dataexchange.domain.transfers import Destination, KeptReceipt


@dataclass
class Ourselves:
    """Kept in memory, replaced part by part when the key files or the directory change."""

    keys: dict[str, OwnKeys] = field(default_factory=dict)
    tenants: dict[str, str] = field(default_factory=dict)
    held: Directory | None = None
    trouble: str = ""

    @property
    def opening(self) -> Mapping[str, ECKey]:
        """kid → private `enc` key, of every organisation here."""
        return {kid: key for own in self.keys.values() for kid, key in own.opening.items()}

    def organisation_of(self, tenant: str) -> str:
        """Raises: Invalid, for a board that takes no part in the exchange."""
        for organisation, owner in self.tenants.items():
            if owner == tenant:
                return organisation
        raise Invalid("この教育委員会は、電子的な転出入に参加していません。", reason="NO_EXCHANGE")

    def tenant_of(self, organisation: str) -> str:
        """Raises: Refusal, when we do not speak for it."""
        tenant = self.tenants.get(organisation)
        if tenant is None:
            raise Refusal(Code.WRONG_RECEIVER, organisation[:64])
        return tenant

    def directory(self, at: datetime) -> Directory:
        """The directory in use. Raises: Refusal, when it expired past its grace; Unavailable, when there is none."""
        if self.held is None:
            raise Unavailable(
                "組織の名簿をまだ読み込めていません。しばらくしてからやり直してください。", reason="NO_DIRECTORY"
            )
        fault = self.held.fault(at)
        if fault is not None:
            raise fault
        return self.held

    def destination(self, organisation: str, school_code: str, tenant: str, at: datetime) -> Destination:
        """Where a child can be sent. Raises: Invalid."""
        if organisation == self.organisation_of(tenant):
            raise Invalid("同じ教育委員会の中の転校は、名簿の異動で処理してください。", reason="SAME_ORGANISATION")
        try:
            found = self.directory(at).organisation(organisation)
            self.directory(at).key_for(organisation, "enc", at)
        except Refusal as refusal:
            raise Invalid(refusal.say(), reason=str(refusal.code).upper()) from None
        if not school_code:
            return Destination(organisation, found.name)
        for school in found.schools:
            if school.code == school_code:
                return Destination(organisation, found.name, school.code, school.name, school.address)
        raise Invalid("その学校は名簿にありません。", reason="SCHOOL_UNKNOWN")

    def others(self, tenant: str, at: datetime) -> list[Organisation]:
        """Everybody in the directory but ourselves."""
        own = self.organisation_of(tenant)
        return [organisation for organisation in self.directory(at).content.organisations if organisation.id != own]

    def receipt(
        self, kind: receipts.ReceiptKind, package_id: str, sha256: str, *, by: str, to: str, before: KeptReceipt | None,
        at: datetime, accepted_on: str | None = None, code: str | None = None, text: str | None = None,
    ) -> receipts.Receipt:  # fmt: skip
        """A receipt of one of our organisations, chained to the one it gave before. Raises: Refusal."""
        statement = receipts.Statement(
            spec="1.0", kind=kind, package_id=package_id, package_sha256=sha256, organisation=by, recipient=to,
            at=instants.to_text(at), previous=before.sha256 if before else None, accepted_on=accepted_on, code=code,
            text=text,
        )  # fmt: skip
        signing = self.keys[by].signing_key(at)
        return receipts.sign(statement, signing.key, signing.kid, int(at.timestamp()))


def last_of(kept: list[KeptReceipt], organisation: str) -> KeptReceipt | None:
    """The newest receipt that the organisation gave."""
    own = [receipt for receipt in kept if receipt.organisation == organisation]
    return own[-1] if own else None
