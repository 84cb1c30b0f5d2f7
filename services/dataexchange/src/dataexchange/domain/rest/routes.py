"""Every operation of the three services: path, what it answers, which scope opens it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

PLURALS = {
    "academicSession": "academicSessions", "org": "orgs", "course": "courses", "class": "classes", "user": "users",
    "enrollment": "enrollments", "demographics": "demographics", "category": "categories", "lineItem": "lineItems",
    "result": "results", "scoreScale": "scoreScales", "assessmentLineItem": "assessmentLineItems",
    "assessmentResult": "assessmentResults", "resource": "resources",
}  # fmt: skip
ROSTERING, GRADEBOOK, RESOURCES = "rostering", "gradebook", "resources"
BASE = "/ims/oneroster/{}/v1p2"


class By(StrEnum):
    """How the objects of a list hang on the id in the path."""

    REF = "ref"  # refs hold prefix + id
    CLASS = "class"  # enrolments, line items, results, score scales of a class
    PERSON = "person"  # results of a pupil
    ENROLLED = "enrolled"  # people enrolled in a class, in a role
    ATTENDED = "attended"  # classes somebody is enrolled in, in a role or any
    CATEGORY = "category"  # categories that line items of a class use
    NONE = "none"  # nothing hangs on it: an empty list


@dataclass(frozen=True, slots=True)
class Condition:
    """`parameter` is a name of the path, `word` a prefix of refs or a role."""

    by: By
    parameter: str
    word: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `must`: refs every object has; `parents`: what has to exist (kind, parameter, ref)."""

    method: str
    service: str
    path: str
    kind: str
    many: bool
    scopes: tuple[str, ...]
    must: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    parents: tuple[tuple[str, str, str], ...] = ()

    @property
    def name(self) -> str:
        """operationId."""
        words = [part.strip("{}") for part in self.path.split("/") if part]
        return self.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


_CORE, _FULL = ("roster-core.readonly", "roster.readonly"), ("roster.readonly",)
_COLLECTIONS = (
    ("academicSessions", "academicSession", ()), ("gradingPeriods", "academicSession", ("is:gradingPeriod",)),
    ("terms", "academicSession", ("is:term",)), ("classes", "class", ()), ("courses", "course", ()),
    ("enrollments", "enrollment", ()), ("orgs", "org", ()), ("schools", "org", ("is:school",)),
    ("students", "user", ("is:student",)), ("teachers", "user", ("is:teacher",)), ("users", "user", ()),
)  # fmt: skip


def _get(service: str, path: str, kind: str, scopes: tuple[str, ...], *, many: bool = True,
         must: tuple[str, ...] = (), by: tuple[Condition, ...] = (),
         parents: tuple[tuple[str, str, str], ...] = ()) -> Operation:  # fmt: skip
    return Operation("GET", service, path, kind, many, scopes, must, by, parents)


def _rostering() -> Iterator[Operation]:
    for name, kind, must in _COLLECTIONS:
        yield _get(ROSTERING, f"/{name}", kind, _CORE, must=must)
        yield _get(ROSTERING, f"/{name}/{{sourcedId}}", kind, _CORE, many=False, must=must)
    demographics = ("roster-demographics.readonly",)
    yield _get(ROSTERING, "/demographics", "demographics", demographics)
    yield _get(ROSTERING, "/demographics/{sourcedId}", "demographics", demographics, many=False)

    a_class = ("class", "classSourcedId", "")
    school = ("org", "schoolSourcedId", "is:school")
    its_class = ("class", "classSourcedId", "school:{schoolSourcedId}")
    of_school = Condition(By.REF, "schoolSourcedId", "school:")
    roles = (("students", "student"), ("teachers", "teacher"))
    for name, role in roles:
        enrolled = Condition(By.ENROLLED, "classSourcedId", role)
        yield _get(ROSTERING, f"/classes/{{classSourcedId}}/{name}", "user", _FULL, by=(enrolled,), parents=(a_class,))
        yield _get(ROSTERING, f"/schools/{{schoolSourcedId}}/{name}", "user", _FULL, must=(f"is:{role}",),
                   by=(of_school,), parents=(school,))  # fmt: skip
        yield _get(ROSTERING, f"/schools/{{schoolSourcedId}}/classes/{{classSourcedId}}/{name}", "user", _FULL,
                   by=(enrolled,), parents=(school, its_class))  # fmt: skip
        attended = Condition(By.ATTENDED, f"{role}SourcedId", role)
        yield _get(ROSTERING, f"/{name}/{{{role}SourcedId}}/classes", "class", _FULL, by=(attended,),
                   parents=(("user", f"{role}SourcedId", f"is:{role}"),))  # fmt: skip
    yield _get(ROSTERING, "/users/{userSourcedId}/classes", "class", _FULL,
               by=(Condition(By.ATTENDED, "userSourcedId"),), parents=(("user", "userSourcedId", ""),))  # fmt: skip
    yield _get(ROSTERING, "/courses/{courseSourcedId}/classes", "class", _FULL,
               by=(Condition(By.REF, "courseSourcedId", "course:"),),
               parents=(("course", "courseSourcedId", ""),))  # fmt: skip
    for name, kind in (("classes", "class"), ("courses", "course"), ("enrollments", "enrollment")):
        yield _get(ROSTERING, f"/schools/{{schoolSourcedId}}/{name}", kind, _FULL, by=(of_school,), parents=(school,))
    yield _get(ROSTERING, "/schools/{schoolSourcedId}/terms", "academicSession", _FULL, must=("is:term",),
               parents=(school,))  # fmt: skip
    yield _get(ROSTERING, "/schools/{schoolSourcedId}/classes/{classSourcedId}/enrollments", "enrollment", _FULL,
               by=(Condition(By.CLASS, "classSourcedId"),),
               parents=(school, its_class))  # fmt: skip
    term = ("academicSession", "termSourcedId", "")
    yield _get(ROSTERING, "/terms/{termSourcedId}/classes", "class", _FULL,
               by=(Condition(By.REF, "termSourcedId", "term:"),), parents=(term,))  # fmt: skip
    yield _get(ROSTERING, "/terms/{termSourcedId}/gradingPeriods", "academicSession", _FULL,
               must=("is:gradingPeriod",), parents=(term,))  # fmt: skip


def _gradebook() -> Iterator[Operation]:
    core, full = ("gradebook-core.readonly", "gradebook.readonly"), ("gradebook.readonly",)
    put, post, delete = ("gradebook.createput",), ("gradebook.createpost",), ("gradebook.delete",)
    for kind in ("category", "lineItem", "result", "scoreScale"):
        name = PLURALS[kind]
        yield _get(GRADEBOOK, f"/{name}", kind, core)
        yield from _item(name, kind, core, put, delete)
    for kind in ("assessmentLineItem", "assessmentResult"):
        read = ("assessment.readonly",)
        yield _get(GRADEBOOK, f"/{PLURALS[kind]}", kind, read)
        yield from _item(PLURALS[kind], kind, read, ("assessment.createput",), ("assessment.delete",))
    a_class = ("class", "classSourcedId", "")
    of_class = Condition(By.CLASS, "classSourcedId")
    yield _get(GRADEBOOK, "/classes/{classSourcedId}/categories", "category", full,
               by=(Condition(By.CATEGORY, "classSourcedId"),), parents=(a_class,))  # fmt: skip
    for kind in ("lineItem", "result", "scoreScale"):
        yield _get(GRADEBOOK, f"/classes/{{classSourcedId}}/{PLURALS[kind]}", kind, full, by=(of_class,),
                   parents=(a_class,))  # fmt: skip
    yield _get(GRADEBOOK, "/classes/{classSourcedId}/lineItems/{lineItemSourcedId}/results", "result", full,
               by=(of_class, Condition(By.REF, "lineItemSourcedId", "lineItem:")),
               parents=(a_class, ("lineItem", "lineItemSourcedId", "")))  # fmt: skip
    yield _get(GRADEBOOK, "/classes/{classSourcedId}/students/{studentSourcedId}/results", "result", full,
               by=(of_class, Condition(By.PERSON, "studentSourcedId")),
               parents=(a_class, ("user", "studentSourcedId", "is:student")))  # fmt: skip
    school = ("org", "schoolSourcedId", "is:school")
    yield _get(GRADEBOOK, "/schools/{schoolSourcedId}/scoreScales", "scoreScale", full,
               by=(Condition(By.REF, "schoolSourcedId", "school:"),), parents=(school,))  # fmt: skip
    line_item = ("lineItem", "lineItemSourcedId", "")
    for path, kind, parents in (
        ("/classes/{classSourcedId}/lineItems", "lineItem", (a_class,)),
        ("/schools/{schoolSourcedId}/lineItems", "lineItem", (school,)),
        ("/lineItems/{lineItemSourcedId}/results", "result", (line_item,)),
        ("/classes/{classSourcedId}/academicSessions/{academicSessionSourcedId}/results", "result",
         (a_class, ("academicSession", "academicSessionSourcedId", ""))),
    ):  # fmt: skip
        yield Operation("POST", GRADEBOOK, path, kind, True, post, parents=parents)


def _item(
    name: str, kind: str, read: tuple[str, ...], put: tuple[str, ...], delete: tuple[str, ...]
) -> Iterator[Operation]:
    path = f"/{name}/{{sourcedId}}"
    yield _get(GRADEBOOK, path, kind, read, many=False)
    yield Operation("PUT", GRADEBOOK, path, kind, False, put)
    yield Operation("DELETE", GRADEBOOK, path, kind, False, delete)


def _resources() -> Iterator[Operation]:
    core, full = ("resource-core.readonly", "resource.readonly"), ("resource.readonly",)
    yield _get(RESOURCES, "/resources", "resource", core)
    yield _get(RESOURCES, "/resources/{sourcedId}", "resource", core, many=False)
    for kind in ("class", "course", "user"):
        yield _get(RESOURCES, f"/{PLURALS[kind]}/{{{kind}SourcedId}}/resources", "resource", full,
                   by=(Condition(By.REF, f"{kind}SourcedId", f"{kind}:"),),
                   parents=((kind, f"{kind}SourcedId", ""),))  # fmt: skip


OPERATIONS: tuple[Operation, ...] = (*_rostering(), *_gradebook(), *_resources())
DISCOVERY: dict[str, tuple[str, ...]] = {
    ROSTERING: ("onerosterv1p2rostersservice_openapi3_v1p0.json", "imsorv1p2_rostering_openapi3_v1p0.json"),
    GRADEBOOK: ("onerosterv1p2gradebookservice_openapi3_v1p0.json", "imsorv1p2_gradebook_openapi3_v1p0.json"),
    RESOURCES: ("onerosterv1p2resourcesservice_openapi3_v1p0.json", "imsorv1p2_resources_openapi3_v1p0.json"),
}


def envelope(operation: Operation) -> str:
    """The one member of an answer."""
    return PLURALS[operation.kind] if operation.many else operation.kind


class Router:
    """Paths to operations: by number of steps and the fixed words in them."""

    def __init__(self) -> None:
        self._tree: dict[str, list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
        for operation in OPERATIONS:
            steps = tuple(operation.path.strip("/").split("/"))
            known = self._tree.setdefault(f"{operation.service}:{steps[0]}:{len(steps)}", [])
            for its_steps, methods in known:
                if its_steps == steps:
                    methods[operation.method] = operation
                    break
            else:
                known.append((steps, {operation.method: operation}))

    def find(self, service: str, path: str) -> tuple[dict[str, Operation], dict[str, str]] | None:
        """Operations by method, and the ids in the path; None for a path that is none of ours."""
        given = path.strip("/").split("/")
        for steps, methods in self._tree.get(f"{service}:{given[0]}:{len(given)}", ()):
            ids = {}
            for step, word in zip(steps, given, strict=True):
                if step[0] == "{":
                    ids[step[1:-1]] = word
                elif step != word:
                    break
            else:
                return methods, ids
        return None
