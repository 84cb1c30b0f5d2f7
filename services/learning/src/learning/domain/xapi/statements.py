"""What a statement may be (Data 2.2 and 2.4; 2.0: 4.2), and the terms it is found by. One walk does both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from learning.domain.xapi.activities import check_activity, check_extensions, check_languages
from learning.domain.xapi.actors import check_actor, check_agent, check_group, iri_of, key_of, keys_only, text_of
from learning.domain.xapi.formats import instant_of, is_duration, is_language, is_media_type, is_sha2, is_uuid
from learning.domain.xapi.remembered import Remembered
from learning.domain.xapi.wrong import Wrong

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
_STATEMENT = frozenset(
    ("id", "actor", "verb", "object", "result", "context", "timestamp", "stored", "authority", "version", "attachments")
)
_SUBSTATEMENT = frozenset(("objectType", "actor", "verb", "object", "result", "context", "timestamp", "attachments"))
_VERB = frozenset(("id", "display"))
_REF = frozenset(("objectType", "id"))
_RESULT = frozenset(("score", "success", "completion", "response", "duration", "extensions"))
_SCORE = frozenset(("scaled", "raw", "min", "max"))
_CONTEXT = {
    1: frozenset(
        ("registration", "instructor", "team", "contextActivities", "revision", "platform", "language", "statement",
         "extensions")
    ),
}  # fmt: skip
_CONTEXT[2] = _CONTEXT[1] | {"contextAgents", "contextGroups"}
_CONTEXT_ACTIVITIES = frozenset(("parent", "grouping", "category", "other"))
_CONTEXT_AGENT = frozenset(("objectType", "agent", "relevantTypes"))
_CONTEXT_GROUP = frozenset(("objectType", "group", "relevantTypes"))
_ATTACHMENT = frozenset(("usageType", "display", "description", "contentType", "length", "sha2", "fileUrl"))
_context_activities: Remembered[tuple[str, ...]] = Remembered()
"""Keys of the activities, of those who bring no definition and already are arrays."""


@dataclass(slots=True)
class Terms:
    """What a statement is found by. Keys are those of `key_of`."""

    id: str = ""
    verb: str = ""
    actor: str | None = None
    activity: str | None = None
    registration: str | None = None
    agents: list[str] = field(default_factory=list)
    """Besides `actor`, whom the parameter `agent` finds: members, and who is the object."""
    related_agents: list[str] = field(default_factory=list)
    related_activities: list[str] = field(default_factory=list)
    definitions: list[dict[str, Any]] = field(default_factory=list)
    """Activities that bring a definition."""
    target: str | None = None
    """The statement this one is about."""
    voids: bool = False
    attachments: list[dict[str, Any]] = field(default_factory=list)


def check(statement: Any, edition: int, path: str = "$") -> Terms:
    """Checks `statement`, gives it an id where it has none and arrays in contextActivities (Data 2.4.6.2: MUST return).

    `edition`: 1 (1.0.x) or 2 (2.0.x), of the request. Raises: Wrong.
    """
    keys_only(statement, _STATEMENT, path)
    terms = Terms()
    _check_core(statement, edition, path, terms, False)
    if "id" in statement:
        terms.id = _uuid(statement["id"], f"{path}.id")
    else:
        statement["id"] = terms.id = str(uuid4())
    if "stored" in statement:
        _time(statement["stored"], edition, f"{path}.stored")
    if "version" in statement:
        _check_version(statement["version"], edition, f"{path}.version")
    if "authority" in statement:
        _check_authority(statement["authority"], f"{path}.authority")
    terms.voids = statement["verb"]["id"] == VOIDED
    if terms.voids and terms.target is None:
        raise Wrong(f"{path}.object: what is voided is named by a StatementRef")
    return terms


def _check_core(statement: dict[str, Any], edition: int, path: str, terms: Terms, inner: bool) -> None:
    for name in ("actor", "verb", "object"):
        if name not in statement:
            raise Wrong(f"{path}.{name}: is missing")
    members: list[str] = []
    key = check_actor(statement["actor"], f"{path}.actor", members)
    agents = terms.related_agents if inner else terms.agents
    agents.extend(members)
    verb = keys_only(statement["verb"], _VERB, f"{path}.verb")
    verb_id = iri_of(verb.get("id"), f"{path}.verb.id")
    if "display" in verb:
        check_languages(verb["display"], f"{path}.verb.display")
    if inner:
        if key is not None:
            agents.append(key)
    else:
        terms.actor, terms.verb = key, key_of(verb_id)
    is_activity = _check_object(statement["object"], edition, f"{path}.object", terms, inner)
    if "result" in statement:
        _check_result(statement["result"], f"{path}.result")
    if "context" in statement:
        _check_context(statement["context"], edition, f"{path}.context", terms, inner, is_activity)
    if "timestamp" in statement:
        _time(statement["timestamp"], edition, f"{path}.timestamp")
    if "attachments" in statement:
        _check_attachments(statement["attachments"], f"{path}.attachments", terms)


def _check_object(what: Any, edition: int, path: str, terms: Terms, inner: bool) -> bool:
    """Whether it is an activity."""
    if type(what) is not dict:
        raise Wrong(f"{path}: an object is wanted")
    kind = what.get("objectType", "Activity")
    if kind == "Activity":
        key = key_of(check_activity(what, path))
        if inner:
            terms.related_activities.append(key)
        else:
            terms.activity = key
        if "definition" in what:
            terms.definitions.append(what)
        return True
    if kind in ("Agent", "Group"):
        found = terms.related_agents if inner else terms.agents
        agent = check_actor(what, path, found)
        if agent is not None:
            found.append(agent)
    elif kind == "StatementRef":
        target = _check_ref(what, path)
        if not inner:
            terms.target = target
    elif kind == "SubStatement" and not inner:
        keys_only(what, _SUBSTATEMENT, path)
        _check_core(what, edition, path, terms, True)
    else:
        raise Wrong(f"{path}.objectType: must be Activity, Agent, Group, StatementRef or (not inside one) SubStatement")
    return False


def _check_ref(ref: Any, path: str) -> str:
    keys_only(ref, _REF, path)
    if ref.get("objectType") != "StatementRef":
        raise Wrong(f"{path}.objectType: must be 'StatementRef'")
    return _uuid(ref.get("id"), f"{path}.id")


def _check_result(result: Any, path: str) -> None:
    keys_only(result, _RESULT, path)
    for name, value in result.items():
        if name == "score":
            _check_score(value, f"{path}.score")
        elif name in ("success", "completion"):
            if type(value) is not bool:
                raise Wrong(f"{path}.{name}: true or false is wanted")
        elif name == "response":
            text_of(value, f"{path}.response")
        elif name == "duration":
            if type(value) is not str or not is_duration(value):
                raise Wrong(f"{path}.duration: an ISO 8601 duration is wanted, such as PT4M30S")
        else:
            check_extensions(value, f"{path}.extensions")


def _check_score(score: Any, path: str) -> None:
    keys_only(score, _SCORE, path)
    for name, value in score.items():
        if type(value) is not int and type(value) is not float:
            raise Wrong(f"{path}.{name}: a number is wanted")
    low, high, raw = score.get("min"), score.get("max"), score.get("raw")
    if not -1 <= score.get("scaled", 0) <= 1:
        raise Wrong(f"{path}.scaled: must be between -1 and 1")
    if low is not None and high is not None and low >= high:
        raise Wrong(f"{path}.min: must be less than max")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise Wrong(f"{path}.raw: must be between min and max")


def _check_context(context: Any, edition: int, path: str, terms: Terms, inner: bool, is_activity: bool) -> None:
    keys_only(context, _CONTEXT[edition], path)
    for name, value in context.items():
        place = f"{path}.{name}"
        if name == "contextActivities":
            _check_context_activities(value, place, terms)
        elif name == "extensions":
            check_extensions(value, place)
        elif name in ("platform", "revision"):
            text_of(value, place)
            if not is_activity:
                raise Wrong(f"{place}: only for statements about an Activity")
        elif name == "language":
            if type(value) is not str or not is_language(value):
                raise Wrong(f"{place}: a language tag is wanted (RFC 5646)")
        elif name == "registration":
            registration = _uuid(value, place)
            if not inner:
                terms.registration = registration
        elif name == "statement":
            _check_ref(value, place)
        elif name in ("contextAgents", "contextGroups"):
            _check_context_actors(value, place, terms, name == "contextGroups")
        else:
            if name == "team":
                key = check_group(value, place, terms.related_agents)
            else:
                key = check_actor(value, place, terms.related_agents)
            if key is not None:
                terms.related_agents.append(key)


def _check_context_activities(value: Any, path: str, terms: Terms) -> None:
    raw, known = _context_activities.get(value)
    if known is not None:
        terms.related_activities.extend(known)
        return
    keys_only(value, _CONTEXT_ACTIVITIES, path)
    keys, plain = [], True
    for name, activities in value.items():
        if type(activities) is dict:
            activities, plain = [activities], False
            value[name] = activities
        if type(activities) is not list:
            raise Wrong(f"{path}.{name}: an activity or an array of them is wanted")
        for number, activity in enumerate(activities):
            keys.append(key_of(check_activity(activity, f"{path}.{name}[{number}]")))
            if "definition" in activity:
                terms.definitions.append(activity)
                plain = False
    terms.related_activities.extend(keys)
    if plain:
        _context_activities.put(raw, tuple(keys))


def _check_context_actors(value: Any, path: str, terms: Terms, groups: bool) -> None:
    """2.0: 4.2.2.5, who else had to do with it, and as what."""
    if type(value) is not list:
        raise Wrong(f"{path}: an array is wanted")
    kind, allowed = ("contextGroup", _CONTEXT_GROUP) if groups else ("contextAgent", _CONTEXT_AGENT)
    for number, one in enumerate(value):
        place = f"{path}[{number}]"
        keys_only(one, allowed, place)
        if one.get("objectType") != kind:
            raise Wrong(f"{place}.objectType: must be {kind!r}")
        if groups:
            key = check_group(one.get("group"), f"{place}.group", terms.related_agents)
        else:
            key = check_agent(one.get("agent"), f"{place}.agent")
        if key is not None:
            terms.related_agents.append(key)
        if "relevantTypes" in one:
            types = one["relevantTypes"]
            if type(types) is not list or not types:
                raise Wrong(f"{place}.relevantTypes: an array with an IRI is wanted")
            for position, iri in enumerate(types):
                iri_of(iri, f"{place}.relevantTypes[{position}]")


def _check_attachments(value: Any, path: str, terms: Terms) -> None:
    if type(value) is not list:
        raise Wrong(f"{path}: an array is wanted")
    for number, attachment in enumerate(value):
        place = f"{path}[{number}]"
        keys_only(attachment, _ATTACHMENT, place)
        for name in ("usageType", "display", "contentType", "length", "sha2"):
            if name not in attachment:
                raise Wrong(f"{place}.{name}: is missing")
        iri_of(attachment["usageType"], f"{place}.usageType")
        check_languages(attachment["display"], f"{place}.display")
        if "description" in attachment:
            check_languages(attachment["description"], f"{place}.description")
        content_type, length, sha2 = attachment["contentType"], attachment["length"], attachment["sha2"]
        if type(content_type) is not str or not is_media_type(content_type):
            raise Wrong(f"{place}.contentType: a media type is wanted (RFC 2046)")
        if type(length) is not int or length < 0:
            raise Wrong(f"{place}.length: a number of octets is wanted")
        if type(sha2) is not str or not is_sha2(sha2):
            raise Wrong(f"{place}.sha2: the hexadecimal digits of a SHA-2 are wanted")
        if "fileUrl" in attachment:
            iri_of(attachment["fileUrl"], f"{place}.fileUrl")
        terms.attachments.append(attachment)


def _check_version(version: Any, edition: int, path: str) -> None:
    """1.0.x stays what it is in a 2.0 request; a 1.0.x request knows nothing later (Data 2.4.10)."""
    if type(version) is str:
        parts = version.split(".")
        fine = len(parts) in (2, 3) and all(part.isascii() and part.isdecimal() for part in parts)
        if fine and (parts[:2] == ["1", "0"] or (edition == 2 and parts[:2] == ["2", "0"])):
            return
    raise Wrong(f"{path}: must be 1.0.x" + (" or 2.0.x" if edition == 2 else ""))


def _check_authority(authority: Any, path: str) -> None:
    """An agent, or an anonymous group of the two of three-legged OAuth (Data 2.4.9)."""
    members: list[str] = []
    key = check_actor(authority, path, members)
    if authority.get("objectType") == "Group" and (key is not None or len(members) != 2):
        raise Wrong(f"{path}: a group that asserts is anonymous and has two members")


def _uuid(value: Any, path: str) -> str:
    if type(value) is not str or not is_uuid(value):
        raise Wrong(f"{path}: a UUID is wanted")
    return value


def _time(value: Any, edition: int, path: str) -> None:
    if type(value) is not str or instant_of(value, edition) is None:
        raise Wrong(f"{path}: a timestamp is wanted ({'RFC 3339' if edition == 2 else 'ISO 8601'}), not with -00:00")
