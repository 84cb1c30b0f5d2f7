"""A request as the resources see it, whichever way it was spelled (Communication 1.3: Alternate Request Syntax)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from learning.domain.xapi.parameters import read_query_string
from learning.domain.xapi.wrong import Wrong

FORM = "application/x-www-form-urlencoded"
_AS_HEADERS = frozenset(
    ("authorization", "x-experience-api-version", "content-type", "content-length", "if-match", "if-none-match",
     "accept", "accept-language", "accept-encoding")
)  # fmt: skip
_METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")


@dataclass(slots=True)
class Asked:
    """Method, parameters, headers (lower case) and body."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    alternate: bool = False

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


async def read_asked(request: Request, path: str, longest: int) -> Asked:
    """Raises: Wrong, 413 for a body longer than `longest` octets."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > longest:
        raise _too_long(longest)
    chunks, length = [], 0
    if request.method not in ("GET", "HEAD"):
        async for chunk in request.stream():
            length += len(chunk)
            if length > longest:
                raise _too_long(longest)
            chunks.append(chunk)
    query = request.scope["query_string"].decode("latin-1")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
    asked = Asked(request.method, path, read_query_string(query) if query else {}, headers, b"".join(chunks))
    if asked.method == "POST" and "method" in asked.parameters:
        return _alternate(asked)
    for value in asked.parameters.values():
        if "\0" in value:
            raise Wrong("a parameter has a NUL character in it")
    return asked


def _alternate(asked: Asked) -> Asked:
    method = asked.parameters["method"]
    if method not in _METHODS:
        raise Wrong(f"parameter method: must be one of {', '.join(_METHODS)}")
    if len(asked.parameters) > 1:
        raise Wrong("the alternate syntax has no parameter but method in the URL; the others go into the form")
    try:
        form = dict(parse_qsl(asked.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError:
        raise Wrong("the alternate syntax has a form as its body (application/x-www-form-urlencoded)") from None
    headers = {name: value for name, value in asked.headers.items() if name not in ("content-type", "content-length")}
    parameters = {}
    for name, value in form.items():
        if name.lower() in _AS_HEADERS:
            headers.setdefault(name.lower(), value)
        elif name != "content":
            parameters[name] = value
        if "\0" in value and name != "content":
            raise Wrong(f"parameter {name[:60]}: has a NUL character in it")
    if method in ("PUT", "POST") and "content" not in form:
        raise Wrong("the alternate syntax has the body in a form parameter named content")
    headers.setdefault("content-type", "application/json")
    return Asked(method, asked.path, parameters, headers, form.get("content", "").encode(), True)


def _too_long(longest: int) -> Wrong:
    return Wrong(f"the body is longer than {longest // 1048576} MiB; send less at once", 413)
