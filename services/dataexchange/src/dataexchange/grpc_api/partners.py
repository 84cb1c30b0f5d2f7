"""PartnerService: the board's administrator lets partners in and shuts them out."""

from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from komu.dataexchange.v1 import partners_pb2 as pb
from komu.dataexchange.v1 import partners_pb2_grpc
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc

from dataexchange.domain.partners import Partner
from dataexchange.domain.rest.scopes import SCOPES
from dataexchange.usecases import partners

PARTNER_RIGHTS: dict[str, frozenset[str]] = {"partner.manage": frozenset({"board_admin"})}
_PAGE = 50
_MOST_POSITION = 2**31 - 1


class PartnerServicer(partners_pb2_grpc.PartnerServiceServicer):
    """Who holds a secret reads a whole roster: all of it needs the second factor."""

    def __init__(self, public_url: str, token_path: str) -> None:
        self._public_url = public_url
        self._token_path = token_path

    @rpc(right="partner.manage", information_class=2)
    async def ListPartners(self, request: pb.ListPartnersRequest, call: Call) -> pb.ListPartnersReply:
        before = _id(request.before_partner_id) if request.before_partner_id else None
        found, more = await call.read(partners.history, before, min(request.limit or _PAGE, _PAGE))
        tenant = call.person.tenant
        return pb.ListPartnersReply(
            partners=[_to_proto(one, tenant) for one in found], more=more, base_url=self._public_url,
            token_url=f"{self._public_url}{self._token_path}" if self._public_url else "",
            scopes=[pb.ScopeWords(scope=scope, words=words) for scope, words in SCOPES.items()],
        )  # fmt: skip

    @rpc(right="partner.manage", information_class=2)
    async def AddPartner(self, request: pb.AddPartnerRequest, call: Call) -> pb.PartnerSecret:
        wanted = partners.Wanted(
            request.name, request.purpose, frozenset(request.scopes), frozenset(request.school_ids)
        )
        partner, secret = await call.run(partners.add, wanted)
        return pb.PartnerSecret(partner=_to_proto(partner, call.person.tenant), secret=secret)

    @rpc(right="partner.manage", information_class=2)
    async def ListPartnerLineItems(
        self, request: pb.ListPartnerLineItemsRequest, call: Call
    ) -> pb.ListPartnerLineItemsReply:
        before = min(request.before, _MOST_POSITION)
        found, more = await call.read(partners.line_items, before, min(request.limit or _PAGE, _PAGE))
        items = [
            pb.PartnerLineItem(
                position=one.position, title=one.title, class_name=one.class_name, school_name=one.school_name,
                partner_name=one.partner_name, results=one.results, changed_at=_at(one.changed_at),
            )
            for one in found
        ]  # fmt: skip
        return pb.ListPartnerLineItemsReply(items=items, more=more)

    @rpc(right="partner.manage", information_class=2)
    async def SetPartnerDisabled(self, request: pb.SetPartnerDisabledRequest, call: Call) -> pb.Partner:
        partner = await call.run(partners.disable, _id(request.partner_id), disabled=request.disabled)
        return _to_proto(partner, call.person.tenant)

    @rpc(right="partner.manage", information_class=2)
    async def RenewPartnerSecret(self, request: pb.RenewPartnerSecretRequest, call: Call) -> pb.PartnerSecret:
        partner, secret = await call.run(partners.renew_secret, _id(request.partner_id))
        return pb.PartnerSecret(partner=_to_proto(partner, call.person.tenant), secret=secret)


def _to_proto(partner: Partner, tenant: str) -> pb.Partner:
    return pb.Partner(
        id=str(partner.id), client_id=partner.client_id(tenant), name=partner.name, purpose=partner.purpose,
        scopes=sorted(partner.scopes), school_ids=sorted(partner.school_ids), created_at=_at(partner.created_at),
        last_used_at=_at(partner.last_used_at), disabled_at=_at(partner.disabled_at),
    )  # fmt: skip


def _at(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    found = Timestamp()
    found.FromDatetime(at)
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = "連携先の指定が正しくありません。"
        raise Invalid(message, [Violation("partner_id", message)]) from None
