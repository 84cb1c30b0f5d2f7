"""The three published descriptions (OpenAPI 3.0.3), written from the table of operations and the schemas."""

from typing import Any

from dataexchange.domain.rest.query import DEFAULT_LIMIT
from dataexchange.domain.rest.routes import BASE, OPERATIONS, PLURALS, Operation, envelope
from dataexchange.domain.rest.schemas import ENTITIES, GUID_PATTERN, SOURCED_ID_PAIRS, STATUS_INFO
from dataexchange.domain.rest.scopes import PREFIX, SCOPES

Json = dict[str, Any]

_LIST_PARAMETERS: tuple[Json, ...] = (
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT}},
    {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0, "default": 0}},
    {"name": "sort", "in": "query", "schema": {"type": "string"}},
    {"name": "orderBy", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"]}},
    {"name": "filter", "in": "query", "schema": {"type": "string"}},
)
_FIELDS: Json = {"name": "fields", "in": "query", "schema": {"type": "string"}}
_REFUSALS = {
    "400": "malformed: paging, filter, sort, fields, body", "401": "no token, or one that has ended",
    "403": "a scope or a school that is not granted", "404": "no such object for this client",
    "405": "another method", "413": "too large", "415": "not JSON", "429": "too many requests", "503": "not now",
}  # fmt: skip


def document(service: str, origin: str, token_path: str) -> Json:
    """`origin`: scheme and host as the caller knows them; empty for addresses relative to the document's host."""
    operations = [one for one in OPERATIONS if one.service == service]
    paths: dict[str, Json] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    kinds = dict.fromkeys(one.kind for one in operations)
    scopes = {PREFIX + name: SCOPES[name] for one in operations for name in one.scopes}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": f"OneRoster 1.2 {service} service", "version": "1.2",
            "description": "名簿と学習の記録を連携先と交わすための OneRoster 1.2 REST。",
        },
        "servers": [{"url": origin + BASE.format(service)}],
        "paths": paths,
        "components": {
            "schemas": {
                **{_name(kind): ENTITIES[kind] for kind in kinds}, "imsx_StatusInfo": STATUS_INFO,
                "sourcedIdPairs": SOURCED_ID_PAIRS,
            },
            "securitySchemes": {
                "OAuth2CC": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": origin + token_path, "scopes": scopes}},
                }
            },
        },
    }  # fmt: skip


def _operation(one: Operation) -> Json:
    found: Json = {
        "operationId": one.name, "tags": [PLURALS[one.kind]],
        "security": [{"OAuth2CC": [PREFIX + scope]} for scope in one.scopes],
        "parameters": [
            {"name": step[1:-1], "in": "path", "required": True,
             "schema": {"type": "string", "pattern": GUID_PATTERN.replace("/", "")}}
            for step in one.path.split("/") if step.startswith("{")
        ],
        "responses": {
            **_success(one),
            **{
                status: {"description": words, "content": _json({"$ref": "#/components/schemas/imsx_StatusInfo"})}
                for status, words in _REFUSALS.items()
            },
        },
    }  # fmt: skip
    if one.method == "GET":
        found["parameters"] += [*_LIST_PARAMETERS, _FIELDS] if one.many else [_FIELDS]
    if one.method in ("PUT", "POST"):
        found["requestBody"] = {"required": True, "content": _json(_enveloped(one))}
    return found


def _success(one: Operation) -> Json:
    if one.method == "DELETE":
        return {"204": {"description": "it stays as tobedeleted"}}
    if one.method == "PUT":
        return {"200": {"description": "replaced"}, "201": {"description": "entered"}}
    if one.method == "POST":
        pairs = {"$ref": "#/components/schemas/sourcedIdPairs"}
        return {"201": {"description": "entered, under ids of this side", "content": _json(pairs)}}
    answer: Json = {"description": "the objects" if one.many else "the object", "content": _json(_enveloped(one))}
    if one.many:
        answer["headers"] = {
            "X-Total-Count": {"schema": {"type": "integer"}, "description": "objects on all pages"},
            "Link": {"schema": {"type": "string"}, "description": "next, prev, first, last (RFC 8288)"},
        }
    return {"200": answer}


def _enveloped(one: Operation) -> Json:
    schema: Json = {"$ref": f"#/components/schemas/{_name(one.kind)}"}
    if one.many:
        schema = {"type": "array", "items": schema}
    name = envelope(one)
    return {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _name(kind: str) -> str:
    return kind[0].upper() + kind[1:]
