"""How statements are given back: exact, ids, canonical (Communication 2.1.3), and to readers of 1.0.3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from learning.domain.xapi.actors import IFIS

_MAPS = ("name", "description")
_COMPONENTS = ("choices", "scale", "source", "target", "steps")


def older(statement: dict[str, Any]) -> dict[str, Any]:
    """A 2.0 statement for a reader of 1.0.3: without what that reader would have to refuse."""
    shown = dict(statement)
    if not shown["version"].startswith("1."):
        shown["version"] = "1.0.3"
    shown["object"] = dict(shown["object"])
    for holder in (shown, shown["object"]):
        context = holder.get("context")
        if isinstance(context, dict):
            holder["context"] = {k: v for k, v in context.items() if k not in ("contextAgents", "contextGroups")}
    return shown


def ids_only(statement: dict[str, Any]) -> dict[str, Any]:
    """Only what is needed to identify agents, activities, verbs; members only of anonymous groups."""
    shown = dict(statement)
    if isinstance(shown.get("verb"), dict):
        shown["verb"] = {"id": shown["verb"]["id"]}
    for name in ("actor", "object", "authority"):
        if isinstance(shown.get(name), dict):
            shown[name] = _id_of(shown[name])
    if isinstance(shown.get("context"), dict):
        shown["context"] = _context_ids(shown["context"])
    return shown


def _context_ids(context: dict[str, Any]) -> dict[str, Any]:
    shown = dict(context)
    for name in ("instructor", "team"):
        if name in shown:
            shown[name] = _id_of(shown[name])
    if "contextActivities" in shown:
        shown["contextActivities"] = {
            name: [_id_of(one) for one in found] for name, found in shown["contextActivities"].items()
        }
    for name, inside in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in shown:
            shown[name] = [{**one, inside: _id_of(one[inside])} for one in shown[name]]
    return shown


def _id_of(what: dict[str, Any]) -> dict[str, Any]:
    kind = what.get("objectType")
    if kind == "SubStatement":
        return ids_only(what)
    if kind == "StatementRef":
        return what
    if "id" in what:
        return {"id": what["id"]}  # an activity
    shown = {name: what[name] for name in ("objectType", *IFIS) if name in what}
    if kind == "Group" and not any(name in what for name in IFIS):
        shown["member"] = [_id_of(one) for one in what.get("member", ())]
    return shown


def definitions_in(statement: dict[str, Any]) -> list[str]:
    """Identifiers of the activities of a statement."""
    found = []
    what: dict[str, Any] = statement["object"]
    for holder in (statement, what) if what.get("objectType") == "SubStatement" else (statement,):
        inner = holder["object"]
        if inner.get("objectType", "Activity") == "Activity":
            found.append(inner["id"])
        for activities in holder.get("context", {}).get("contextActivities", {}).values():
            found.extend(one["id"] for one in activities)
    return found


def canonical(
    statement: dict[str, Any], known: Mapping[str, dict[str, Any]], languages: Sequence[str]
) -> dict[str, Any]:
    """With the store's definitions of activities, language maps with the one entry the reader wants."""
    shown = dict(statement)
    verb = dict(shown["verb"])
    if "display" in verb:
        verb["display"] = one_language(verb["display"], languages)
    shown["verb"] = verb
    what = shown["object"]
    if what.get("objectType") == "SubStatement":
        shown["object"] = canonical(what, known, languages)
    elif what.get("objectType", "Activity") == "Activity":
        shown["object"] = _activity(what, known, languages)
    if "contextActivities" in shown.get("context", {}):
        context = dict(shown["context"])
        context["contextActivities"] = {
            name: [_activity(one, known, languages) for one in found]
            for name, found in context["contextActivities"].items()
        }
        shown["context"] = context
    if "attachments" in shown:
        shown["attachments"] = [
            {k: one_language(v, languages) if k in ("display", "description") else v for k, v in one.items()}
            for one in shown["attachments"]
        ]
    return shown


def _activity(
    activity: dict[str, Any], known: Mapping[str, dict[str, Any]], languages: Sequence[str]
) -> dict[str, Any]:
    definition = known.get(activity["id"], activity.get("definition"))
    if definition is None:
        return activity
    shown: dict[str, Any] = {k: one_language(v, languages) if k in _MAPS else v for k, v in definition.items()}
    for name in _COMPONENTS:
        if name in shown:
            shown[name] = [
                {k: one_language(v, languages) if k == "description" else v for k, v in one.items()}
                for one in shown[name]
            ]
    return {**activity, "definition": shown}


def one_language(words: dict[str, str], languages: Sequence[str]) -> dict[str, str]:
    """The entry that fits best: RFC 4647 lookup, a relative of the language before a stranger, else the first."""
    by_tag = {tag.lower(): tag for tag in words}
    for wanted in languages:
        part = wanted
        while part:
            if part in by_tag:
                return {by_tag[part]: words[by_tag[part]]}
            part = part.rpartition("-")[0]
        relative = next((tag for tag in by_tag if tag.startswith(wanted.partition("-")[0] + "-")), None)
        if relative is not None:
            return {by_tag[relative]: words[by_tag[relative]]}
    first = next(iter(words), None)
    return {} if first is None else {first: words[first]}


def languages_of(header: str) -> list[str]:
    """Accept-Language in order of wish, lower case, without `*` and what is not wanted (RFC 9110, 12.5.4)."""
    wishes = []
    for place, part in enumerate(header.split(",")[:50]):
        tag, _, quality = part.partition(";")
        try:
            wish = float(quality.strip().removeprefix("q=") or 1) if quality.strip() else 1.0
        except ValueError:
            continue
        if tag.strip() and tag.strip() != "*" and wish > 0:
            wishes.append((-wish, place, tag.strip().lower()))
    return [tag for _, _, tag in sorted(wishes)]
