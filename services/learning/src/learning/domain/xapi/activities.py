"""Activities, their definitions and interactions (Data 2.4.4.1)."""

from __future__ import annotations

from typing import Any

from learning.domain.xapi.actors import iri_of, keys_only, text_of
from learning.domain.xapi.formats import is_language
from learning.domain.xapi.remembered import Remembered
from learning.domain.xapi.wrong import Wrong

_ACTIVITY = frozenset(("objectType", "id", "definition"))
_COMPONENTS = {
    "choices": frozenset(("choice", "sequencing")),
    "scale": frozenset(("likert",)),
    "source": frozenset(("matching",)),
    "target": frozenset(("matching",)),
    "steps": frozenset(("performance",)),
}
_DEFINITION = frozenset(
    ("name", "description", "type", "moreInfo", "extensions", "interactionType", "correctResponsesPattern",
     *_COMPONENTS)
)  # fmt: skip
_INTERACTIONS = frozenset(
    ("true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric",
     "other")
)  # fmt: skip
_COMPONENT = frozenset(("id", "description"))
_definitions: Remembered[bool] = Remembered()


def check_languages(value: Any, path: str) -> None:
    """A language map with at least one entry (Data 4.2). Raises: Wrong."""
    if type(value) is not dict or not value:
        raise Wrong(f"{path}: a language map with an entry is wanted")
    for tag, words in value.items():
        if not is_language(tag):
            raise Wrong(f"{path}: {tag[:60]!r} is no language tag (RFC 5646)")
        if type(words) is not str:
            raise Wrong(f"{path}[{tag!r}]: a string is wanted")


def check_extensions(value: Any, path: str) -> None:
    """Keys are IRIs; what they hold is nobody's business, null included (Data 4.1). Raises: Wrong."""
    if type(value) is not dict:
        raise Wrong(f"{path}: an object is wanted")
    for key in value:
        iri_of(key, f"{path}[{key[:60]!r}]")


def check_activity(activity: Any, path: str) -> str:
    """The activity's IRI. Raises: Wrong."""
    keys_only(activity, _ACTIVITY, path)
    if activity.get("objectType", "Activity") != "Activity":
        raise Wrong(f"{path}.objectType: must be 'Activity'")
    iri = iri_of(activity.get("id"), f"{path}.id")
    if "definition" in activity:
        raw, fine = _definitions.get(activity["definition"])
        if not fine:
            _check_definition(activity["definition"], f"{path}.definition")
            _definitions.put(raw, True)
    return iri


def _check_definition(definition: Any, path: str) -> None:
    keys_only(definition, _DEFINITION, path)
    kind = definition.get("interactionType")
    for name, value in definition.items():
        if name in ("name", "description"):
            check_languages(value, f"{path}.{name}")
        elif name in ("type", "moreInfo"):
            iri_of(value, f"{path}.{name}")
        elif name == "extensions":
            check_extensions(value, f"{path}.extensions")
        elif name == "interactionType":
            if type(value) is not str or value not in _INTERACTIONS:
                raise Wrong(f"{path}.interactionType: must be one of {', '.join(sorted(_INTERACTIONS))}")
        elif "interactionType" not in definition:
            raise Wrong(f"{path}.{name}: is for interactions, which have an interactionType")
        elif name == "correctResponsesPattern":
            if type(value) is not list or not all(type(one) is str for one in value):
                raise Wrong(f"{path}.correctResponsesPattern: an array of strings is wanted")
        else:
            if kind not in _COMPONENTS[name]:
                raise Wrong(f"{path}.{name}: an interaction of type {kind!r} has none")
            _check_components(value, f"{path}.{name}")


def _check_components(components: Any, path: str) -> None:
    if type(components) is not list:
        raise Wrong(f"{path}: an array is wanted")
    ids = set()
    for number, component in enumerate(components):
        place = f"{path}[{number}]"
        keys_only(component, _COMPONENT, place)
        component_id = text_of(component.get("id"), f"{place}.id")
        if not component_id or component_id in ids:
            raise Wrong(f"{place}.id: is empty or used twice")
        ids.add(component_id)
        if "description" in component:
            check_languages(component["description"], f"{place}.description")


def merged(known: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The canonical definition after another statement spoke of the activity: what is new wins, maps grow."""
    result = dict(known)
    for name, value in new.items():
        if name in ("name", "description", "extensions") and isinstance(result.get(name), dict):
            result[name] = {**result[name], **value}
        else:
            result[name] = value
    if result.get("interactionType") != known.get("interactionType"):
        for name, kinds in _COMPONENTS.items():
            if result.get("interactionType") not in kinds:
                result.pop(name, None)
    return result
