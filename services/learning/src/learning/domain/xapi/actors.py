"""Agents and groups, and what identifies them (Data 2.4.2)."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any

from learning.domain.xapi.formats import is_iri, is_mbox, is_sha1
from learning.domain.xapi.wrong import Wrong

IFIS = ("mbox", "mbox_sha1sum", "openid", "account")
_AGENT = frozenset(("objectType", "name", *IFIS))
_GROUP = frozenset((*_AGENT, "member"))
_ACCOUNT = frozenset(("homePage", "name"))


@lru_cache(16384)
def key_of(*identity: str) -> str:
    """128 bits of BLAKE2 over what identifies something, as hex: one width for every index."""
    return blake2b("\0".join(identity).encode(), digest_size=16).hexdigest()


def keys_only(value: Any, allowed: frozenset[str], path: str) -> dict[str, Any]:
    """`value`, an object with none but the `allowed` keys. Raises: Wrong."""
    if type(value) is not dict:
        raise Wrong(f"{path}: an object is wanted")
    if not allowed.issuperset(value):
        name = next(name for name in value if name not in allowed)
        raise Wrong(f"{path}: {name[:60]!r} is not a property of this object (names are case sensitive)")
    return value


def text_of(value: Any, path: str) -> str:
    if type(value) is not str:
        raise Wrong(f"{path}: a string is wanted")
    return value


def iri_of(value: Any, path: str) -> str:
    if type(value) is not str or not is_iri(value):
        raise Wrong(f"{path}: an IRI with a scheme is wanted (RFC 3987)")
    return value


def _identity(actor: dict[str, Any], path: str) -> str | None:
    """The key of the one inverse functional identifier; None without any. Raises: Wrong."""
    found = None
    for name in IFIS:
        if name not in actor:
            continue
        if found is not None:
            raise Wrong(f"{path}: more than one of {', '.join(IFIS)}")
        value = actor[name]
        if name == "account":
            keys_only(value, _ACCOUNT, f"{path}.account")
            if len(value) != 2:
                raise Wrong(f"{path}.account: homePage and name are both wanted")
            page = iri_of(value["homePage"], f"{path}.account.homePage")
            account = text_of(value["name"], f"{path}.account.name")
            if not account:
                raise Wrong(f"{path}.account.name: is empty")
            found = key_of("account", page, account)
        elif name == "openid":
            found = key_of("openid", iri_of(value, f"{path}.openid"))
        elif name == "mbox":
            if type(value) is not str or not is_mbox(value):
                raise Wrong(f"{path}.mbox: mailto: with one address is wanted")
            found = key_of("mbox", plain_mbox(value))
        else:
            if type(value) is not str or not is_sha1(value):
                raise Wrong(f"{path}.mbox_sha1sum: 40 hexadecimal digits are wanted")
            found = key_of("mbox_sha1sum", value.lower())
    return found


def plain_mbox(mbox: str) -> str:
    """The domain of an address is the same in any case (RFC 5321, 2.4)."""
    name, at, domain = mbox.rpartition("@")
    return name + at + domain.lower()


def check_agent(agent: Any, path: str) -> str:
    """The agent's key. Raises: Wrong."""
    keys_only(agent, _AGENT, path)
    if agent.get("objectType", "Agent") != "Agent":
        raise Wrong(f"{path}.objectType: must be 'Agent'")
    if "name" in agent:
        text_of(agent["name"], f"{path}.name")
    key = _identity(agent, path)
    if key is None:
        raise Wrong(f"{path}: an agent has exactly one of {', '.join(IFIS)}")
    return key


def check_group(group: Any, path: str, members: list[str]) -> str | None:
    """The group's key (None: anonymous); the keys of its members are put into `members`. Raises: Wrong."""
    keys_only(group, _GROUP, path)
    if group.get("objectType") != "Group":
        raise Wrong(f"{path}.objectType: must be 'Group'")
    if "name" in group:
        text_of(group["name"], f"{path}.name")
    key = _identity(group, path)
    member = group.get("member")
    if "member" in group:
        if type(member) is not list:
            raise Wrong(f"{path}.member: an array is wanted")
        for number, agent in enumerate(member):
            members.append(check_agent(agent, f"{path}.member[{number}]"))
    if key is None and not member:
        raise Wrong(f"{path}: a group without identifier needs members")
    return key


def check_actor(actor: Any, path: str, others: list[str]) -> str | None:
    """An agent or a group: its key (None: anonymous group), members into `others`. Raises: Wrong."""
    if type(actor) is dict and actor.get("objectType") == "Group":
        return check_group(actor, path, others)
    return check_agent(actor, path)
