"""Blocks about which the rules have nothing to say: asked as whole columns, and what they teach learned at once.

Each function answers whether it was such a block. If so, `facts` know what the rule of that file would have taught them
row by row; if not, nothing was learned and the rule looks at each row to tell what is wrong.
"""

from collections.abc import Mapping
from itertools import compress

from dataexchange.domain.oneroster.facts import Facts, RoleFact
from dataexchange.domain.oneroster.table import Block

_NOT_STAFF = ("student", "guardian")


def dates_in_order(block: Block, at: Mapping[str, int]) -> bool:
    """Whether every period begins before it ends."""
    begins, ends = at["beginDate"], at["endDate"]
    if block.distinct(begins) == {""} or block.distinct(ends) == {""}:
        return True
    pairs = set(zip(block.columns[begins], block.columns[ends], strict=True))
    return not any(begin and end and end < begin for begin, end in pairs)


def roles(block: Block, at: Mapping[str, int], facts: Facts) -> bool:
    """Everybody in it has one primary role and was not met before."""
    columns = block.columns
    users, held = columns[at["userSourcedId"]], block.shared(at["role"])
    new = set(users)
    if block.distinct(at["roleType"]) != {"primary"} or len(new) < block.size:
        return False
    pairs = set(zip(users, held, strict=True))
    if not (new.isdisjoint(facts.primary_role) and pairs.isdisjoint(facts.roles_held)):
        return False
    facts.primary_role.update(zip(users, held, strict=True))
    facts.roles_held |= pairs
    staff = [role not in _NOT_STAFF for role in held]
    told = ("userSourcedId", "roleType", "role", "orgSourcedId", "beginDate", "endDate")
    for user, *fact in compress(zip(*(columns[at[name]] for name in told), strict=True), staff):
        facts.roles_of_staff.setdefault(user, []).append(RoleFact(*fact))
    return True


def enrollments(block: Block, at: Mapping[str, int], facts: Facts) -> bool:
    """Every class is known and at its school, nobody comes twice, pupils are pupils and in their first homeroom."""
    classes, held, begins, ends = (
        block.shared(at[name]) for name in ("classSourcedId", "role", "beginDate", "endDate")
    )
    schools, users = block.columns[at["schoolSourcedId"]], block.columns[at["userSourcedId"]]
    known = facts.classes
    if not known.keys() >= block.distinct(at["classSourcedId"]) or any(
        known[class_id].school != school for class_id, school in set(zip(classes, schools, strict=True))
    ):
        return False
    keys = set(zip(classes, users, held, begins, strict=True))
    if len(keys) < block.size or not keys.isdisjoint(facts.enrolled):
        return False
    if ("student", "true") in set(zip(held, block.columns[at["primary"]], strict=True)):
        return False
    if not _right_roles(set(zip(held, map(facts.primary_role.get, users), strict=True))):
        return False
    homeroom = {class_id: _takes_homeroom(facts, class_id) for class_id in block.distinct(at["classSourcedId"])}
    at_home = [role == "student" and homeroom[class_id] for role, class_id in zip(held, classes, strict=True)]
    homes = dict(zip(compress(users, at_home), compress(zip(classes, begins, ends, strict=True), at_home), strict=True))
    if len(homes) < sum(at_home) or not facts.homerooms_of.keys().isdisjoint(homes):
        return False
    facts.enrolled |= keys
    facts.homerooms_of.update((user, [home]) for user, home in homes.items())
    in_course = [known[class_id].type == "scheduled" for class_id in classes]
    for role, class_id, user in compress(zip(held, classes, users, strict=True), in_course):
        if role == "student":
            facts.course_pupils.setdefault(class_id, set()).add(user)
    return True


def _takes_homeroom(facts: Facts, class_id: str) -> bool:
    one = facts.classes[class_id]
    return one.type != "scheduled" and not one.special_needs


def _right_roles(met: set[tuple[str, str | None]]) -> bool:
    """`met`: role in the class, primary role (None = none known)."""
    return all(
        (role != "student" or primary in (None, "student")) and (role != "teacher" or primary not in _NOT_STAFF)
        for role, primary in met
    )
