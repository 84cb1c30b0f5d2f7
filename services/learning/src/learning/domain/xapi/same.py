"""Whether a statement that arrives again is the one that is kept (Data 2.3.1, Statement Comparison Requirements)."""

from __future__ import annotations

from typing import Any

import orjson

from learning.domain.xapi.actors import IFIS, plain_mbox
from learning.domain.xapi.formats import instant_of

_ASSIGNED = ("id", "authority", "stored", "version")


def same(kept: dict[str, Any], new: dict[str, Any]) -> bool:
    """Equal but for what the store sets, definitions, verb displays, the order of members, the zone of times."""
    ours, theirs = _plain(kept), _plain(new)
    if "timestamp" not in new:
        ours.pop("timestamp", None)
    return ours == theirs


def _plain(statement: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in statement.items() if name not in _ASSIGNED}
    for name in ("actor", "object"):
        if isinstance(plain.get(name), dict):
            plain[name] = _plain_object(plain[name])
    if isinstance(plain.get("verb"), dict):
        plain["verb"] = {"id": plain["verb"].get("id")}
    if isinstance(plain.get("timestamp"), str):
        plain["timestamp"] = instant_of(plain["timestamp"], 1) or instant_of(plain["timestamp"], 2)
    if isinstance(plain.get("context"), dict):
        plain["context"] = _plain_context(plain["context"])
    return plain


def _plain_object(what: dict[str, Any]) -> dict[str, Any]:
    if what.get("objectType") == "SubStatement":
        return _plain(what)
    if ("objectType" not in what and not any(name in what for name in IFIS)) or what.get("objectType") == "Activity":
        return {"id": what.get("id")}
    if what.get("objectType") == "StatementRef":
        return {"ref": str(what.get("id")).lower()}
    plain = dict(what)
    plain.setdefault("objectType", "Agent")
    if isinstance(plain.get("mbox"), str):
        plain["mbox"] = plain_mbox(plain["mbox"])
    if isinstance(plain.get("member"), list):
        plain["member"] = sorted((_plain_object(one) for one in plain["member"]), key=_in_order)
    return plain


def _in_order(one: dict[str, Any]) -> bytes:
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS)


def _plain_context(context: dict[str, Any]) -> dict[str, Any]:
    plain = dict(context)
    for name in ("instructor", "team"):
        if isinstance(plain.get(name), dict):
            plain[name] = _plain_object(plain[name])
    if isinstance(plain.get("contextActivities"), dict):
        plain["contextActivities"] = {
            name: [one.get("id") for one in (found if isinstance(found, list) else [found])]
            for name, found in plain["contextActivities"].items()
        }
    if isinstance(plain.get("registration"), str):
        plain["registration"] = plain["registration"].lower()
    return plain
