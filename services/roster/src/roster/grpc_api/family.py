"""FamilyService: 保護者, contacts, addresses, siblings."""

from __future__ import annotations

from dataclasses import replace

from jpschool.kana import full_width_katakana
from komu.roster.v1 import family_pb2, family_pb2_grpc
from servicekit.grpc import Call, rpc
from servicekit.ids import uuid7

from roster import events
from roster.domain.family import Contact, Family, FamilyGuardian, Struck
from roster.domain.names import Name
from roster.domain.people import Address
from roster.domain.period import Period
from roster.grpc_api import from_proto, to_proto
from roster.grpc_api.from_proto import a_day, an_id, maybe_id
from roster.usecases import family

_CUSTODIES = {
    "": family_pb2.CUSTODY_UNSPECIFIED,
    "joint": family_pb2.CUSTODY_JOINT,
    "sole": family_pb2.CUSTODY_SOLE,
    "guardian": family_pb2.CUSTODY_GUARDIAN,
    "none": family_pb2.CUSTODY_NONE,
}
_CUSTODY_NAMES = {number: word for word, number in _CUSTODIES.items()}


class FamilyServicer(family_pb2_grpc.FamilyServiceServicer):
    """Answers over gRPC; every method names the right it needs."""

    @rpc(right="roster.read")
    async def GetFamily(self, request: family_pb2.GetFamilyRequest, call: Call) -> family_pb2.Family:
        return _family(await call.read(family.get_family, an_id(request.pupil_id, "pupil_id")))

    @rpc(right="family.write")
    async def ChangeGuardian(self, request: family_pb2.ChangeGuardianRequest, call: Call) -> family_pb2.Family:
        pupil_id, guardian = an_id(request.pupil_id, "pupil_id"), _read_guardian(request.guardian, request.on)
        return _family(await call.run(family.change_guardian, pupil_id, guardian, request.reason.strip()))

    @rpc(right="family.write")
    async def EndGuardian(self, request: family_pb2.EndGuardianRequest, call: Call) -> family_pb2.Family:
        pupil_id, guardian_id = an_id(request.pupil_id, "pupil_id"), an_id(request.guardian_id, "guardian_id")
        return _family(await call.run(family.end_guardian, pupil_id, guardian_id, a_day(request.last_on, "last_on")))

    @rpc(right="family.write")
    async def ChangeContact(self, request: family_pb2.ChangeContactRequest, call: Call) -> family_pb2.Family:
        pupil_id, contact = an_id(request.pupil_id, "pupil_id"), _read_contact(request.contact, request.on)
        return _family(await call.run(family.change_contact, pupil_id, contact, request.reason.strip()))

    @rpc(right="family.write")
    async def EndContact(self, request: family_pb2.EndContactRequest, call: Call) -> family_pb2.Family:
        pupil_id, contact_id = an_id(request.pupil_id, "pupil_id"), an_id(request.contact_id, "contact_id")
        return _family(await call.run(family.end_contact, pupil_id, contact_id, a_day(request.last_on, "last_on")))

    @rpc(right="family.write")
    async def ChangeAddress(self, request: family_pb2.ChangeAddressRequest, call: Call) -> family_pb2.Family:
        address = Address(request.postal_code.strip(), request.text.strip(), Period(a_day(request.on, "on")))
        pupil_id = an_id(request.pupil_id, "pupil_id")
        return _family(await call.run(family.change_address, pupil_id, address, request.reason.strip()))

    @rpc(right="family.write")
    async def SetProtection(self, request: family_pb2.SetProtectionRequest, call: Call) -> family_pb2.Family:
        pupil_id = an_id(request.pupil_id, "pupil_id")
        return _family(await call.run(family.set_protection, pupil_id, request.protected, request.reason.strip()))

    @rpc(right="family.write")
    async def LinkSibling(self, request: family_pb2.LinkSiblingRequest, call: Call) -> family_pb2.Family:
        pupil_id, sibling_id = an_id(request.pupil_id, "pupil_id"), an_id(request.sibling_id, "sibling")
        return _family(await call.run(family.link_sibling, pupil_id, sibling_id, request.apart))


def _read_guardian(message: family_pb2.FamilyGuardian, on: str) -> FamilyGuardian:
    names = from_proto.names(message.names)
    kana = Name(*(full_width_katakana(part.strip()) for part in (names.kana.family, names.kana.given)))
    display = Name(names.display.family.strip(), names.display.given.strip())
    return FamilyGuardian(
        maybe_id(message.id, "guardian_id") or uuid7(), message.rank or 99, replace(names, display=display, kana=kana),
        message.relationship.strip(), _CUSTODY_NAMES.get(message.custody, ""), message.cares, message.phone.strip(),
        message.address.strip(), Period(a_day(on, "on")),
    )  # fmt: skip


def _read_contact(message: family_pb2.Contact, on: str) -> Contact:
    return Contact(
        maybe_id(message.id, "contact_id") or uuid7(), message.rank or 99, message.label.strip(),
        message.phone.strip(), message.note.strip(), Period(a_day(on, "on")),
    )  # fmt: skip


def _family(value: Family) -> family_pb2.Family:
    return family_pb2.Family(
        pupil=to_proto.pupil(value.pupil), guardians=map(_guardian, value.guardians),
        contacts=map(_contact, value.contacts), addresses=map(to_proto.address, value.addresses),
        siblings=map(to_proto.pupil, value.siblings), struck=map(_struck, value.struck), hidden=value.hidden,
        may_change=value.may_change,
    )  # fmt: skip


def _guardian(value: FamilyGuardian) -> family_pb2.FamilyGuardian:
    return family_pb2.FamilyGuardian(
        id=str(value.id), names=to_proto.names(value.names), relationship=value.relationship, rank=value.rank,
        custody=_CUSTODIES[value.custody], cares=value.cares, phone=value.phone, address=value.address,
        period=events.period(value.period),
    )  # fmt: skip


def _contact(value: Contact) -> family_pb2.Contact:
    return family_pb2.Contact(
        id=str(value.id), rank=value.rank, label=value.label, phone=value.phone, note=value.note,
        period=events.period(value.period),
    )  # fmt: skip


def _struck(value: Struck) -> family_pb2.StruckEntry:
    message = family_pb2.StruckEntry(
        kind=value.kind, text=value.text, struck_by=to_proto.text_id(value.struck_by), reason=value.reason
    )
    message.struck_at.FromDatetime(value.struck_at)
    return message
