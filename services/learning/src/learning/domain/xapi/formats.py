"""Formats of strings: IRI, UUID, timestamp, duration, language tag, media type (Data 4.0; 2.0: 4.2.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_PLANES = "".join(f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 15))
_UCS = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + _PLANES
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_IPCHAR = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@{_UCS}-]|%[0-9A-Fa-f]{{2}})"
_NAME = rf"(?:[A-Za-z0-9._~!$&'()*+,;={_UCS}-]|%[0-9A-Fa-f]{{2}})"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|\[v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+\]|{_NAME}*)"
_USER = rf"(?:(?:[A-Za-z0-9._~!$&'()*+,;=:{_UCS}-]|%[0-9A-Fa-f]{{2}})*@)?"
_IRI = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*:"
    rf"(?://{_USER}{_HOST}(?::[0-9]*)?(?:/{_IPCHAR}*)*|/(?:{_IPCHAR}+(?:/{_IPCHAR}*)*)?|{_IPCHAR}+(?:/{_IPCHAR}*)*)"
    rf"(?:\?(?:{_IPCHAR}|[/?{_PRIVATE}])*)?(?:#(?:{_IPCHAR}|[/?])*)?"
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")
_SHA2 = re.compile(r"(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})")
_MBOX = re.compile(r'mailto:[^\s@"(),:;<>\[\\\]\x00-\x1f\x7f]+@[^\s@"(),:;<>\[\\\]\x00-\x1f\x7f]+')
_DURATION = re.compile(
    r"P(?:\d+(?:[.,]\d+)?W|(?=[\dT])(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?"
    r"(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)"
)
_EARLY_FRACTION = re.compile(r"[.,]\d+[A-Z].*\d")
_MEDIA = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*"
    r"(?:\s*;\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+=(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+|\"[^\"]*\"))*"
)
_LANGUAGE = re.compile(
    r"(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+"
    r"|en-gb-oed|i-ami|i-bnn|i-default|i-enochian|i-hak|i-klingon|i-lux|i-mingo|i-navajo|i-pwn|i-tao|i-tay|i-tsu"
    r"|sgn-be-fr|sgn-be-nl|sgn-ch-de|art-lojban|cel-gaulish|no-bok|no-nyn|zh-guoyu|zh-hakka|zh-min|zh-min-nan|zh-xiang)",
    re.IGNORECASE | re.ASCII,
)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?P<t>[Tt ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?P<o>[Zz]|[+-]\d\d(?::?\d\d)?)?"
    r"|(\d{4})(\d\d)(\d\d)(?P<bt>T)(\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?(?P<bo>Z|[+-]\d\d(?:\d\d)?)?",
    re.ASCII,
)


@lru_cache(8192)
def is_iri(text: str) -> bool:
    """An absolute IRI (RFC 3987, 2.2), with a scheme and something behind it."""
    return _IRI.fullmatch(text) is not None and text[-1] != ":" and not text.endswith("://")


def is_uuid(text: str) -> bool:
    """Of any version (RFC 9562), in its usual spelling."""
    return _UUID.fullmatch(text) is not None


def is_mbox(text: str) -> bool:
    """`mailto:` with one address, nothing behind it (Data 2.4.2.3)."""
    return _MBOX.fullmatch(text) is not None


def is_sha1(text: str) -> bool:
    return _SHA1.fullmatch(text) is not None


def is_sha2(text: str) -> bool:
    """Hex of SHA-224, 256, 384 or 512."""
    return _SHA2.fullmatch(text) is not None


@lru_cache(1024)
def is_media_type(text: str) -> bool:
    """RFC 2046, with parameters."""
    return _MEDIA.fullmatch(text) is not None


@lru_cache(1024)
def is_language(text: str) -> bool:
    """Well-formed by RFC 5646, 2.1, the irregular ones included."""
    return _LANGUAGE.fullmatch(text) is not None


@lru_cache(4096)
def is_duration(text: str) -> bool:
    """ISO 8601:2004, 4.4.3.2: weeks alone, or the designators in their order, a fraction in the last one only."""
    return _DURATION.fullmatch(text) is not None and _EARLY_FRACTION.search(text) is None


def instant_of(text: str, edition: int) -> datetime | None:
    """The instant of a timestamp, None when it is none. Without an offset it counts as UTC in 1.0.3 (Data 4.5).

    2.0 wants RFC 3339: an offset, and no short forms. Both refuse the offset −00:00, which says "unknown".
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    part = found.groups()
    basic = part[0] is None
    offset = part[17] if basic else part[8]
    if edition == 2 and (basic or offset is None or part[6] is None or (len(offset) not in (1, 6)) or "," in text):
        return None
    if edition == 1 and not basic and part[3] == " ":
        return None
    year, month, day, _, hour, minute, second, fraction = part[9:17] if basic else part[0:8]
    if offset is not None and offset[0] == "-" and offset.strip("-0:") == "":
        return None
    try:
        zone = UTC if offset is None or offset in "Zz" else _zone(offset)
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        leap = 1 if second == "60" else 0
        plain = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0) - leap, micro, zone)
        return (plain + timedelta(seconds=leap)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(2048)
def _zone(offset: str) -> timezone:
    minutes = int(offset[-2:]) if len(offset) > 3 else 0
    hours = int(offset[1:3])
    if hours > 23 or minutes > 59:
        raise ValueError(offset)
    return timezone((1 if offset[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def timestamp(at: datetime) -> str:
    """As the store writes instants: UTC, microseconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
