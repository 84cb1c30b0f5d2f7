"""The invented boards, their schools and classes: how many of what, in one table."""

import uuid
from dataclasses import dataclass

from jpschool.codes import school_code_check_digit
from jpschool.school_grade import SchoolGrade

SCHOOL_YEAR = 2026


@dataclass(frozen=True, slots=True)
class DemoSchool:
    """A school: class sizes by 学年, in the order of the classes, and the size of its 特別支援学級."""

    key: str  # es | jh, as in the account names
    name: str
    code: str
    address: str
    class_sizes: dict[SchoolGrade, tuple[int, ...]]
    special_needs: int

    @property
    def elementary(self) -> bool:
        return self.key == "es"


@dataclass(frozen=True, slots=True)
class DemoBoard:
    """教育委員会: one tenant."""

    tenant: str
    name: str
    code: str
    town: str
    postal: str
    schools: tuple[DemoSchool, ...]
    staff_like: str = ""  # whose staff names it has; blank = its own


def _code(kind: str, number: int) -> str:
    twelve = f"{kind}47299{number:05d}"
    return twelve + school_code_check_digit(twelve)


def _elementary(
    town: str, name: str, number: int, sizes: tuple[tuple[int, ...], ...], special_needs: int
) -> DemoSchool:
    grades = [one for one in SchoolGrade if one.elementary]
    return DemoSchool(
        "es",
        name,
        _code("B1", number),
        f"みらい県{town}本町1番1号",
        dict(zip(grades, sizes, strict=True)),
        special_needs,
    )


def _lower_secondary(
    town: str, name: str, number: int, sizes: tuple[tuple[int, ...], ...], special_needs: int
) -> DemoSchool:
    grades = [one for one in SchoolGrade if not one.elementary]
    return DemoSchool(
        "jh",
        name,
        _code("C1", number),
        f"みらい県{town}緑町2番2号",
        dict(zip(grades, sizes, strict=True)),
        special_needs,
    )


BOARDS: dict[str, DemoBoard] = {
    board.tenant: board
    for board in (
        DemoBoard(
            "aozora",
            "青空市教育委員会",
            "479901",
            "青空市",
            "999-0101",
            (
                _elementary(
                    "青空市",
                    "青空市立あおぞら小学校",
                    10001,
                    ((30, 29), (31, 30), (35, 34), (32, 31), (33, 32), (28, 28)),
                    5,
                ),
                _lower_secondary(
                    "青空市", "青空市立あおぞら中学校", 10002, ((34, 33, 33), (35, 34, 34), (32, 32, 31)), 4
                ),
            ),
        ),
        DemoBoard(
            "hoshi",
            "星野町教育委員会",
            "479902",
            "星野町",
            "999-0202",
            (
                _elementary("星野町", "星野町立ほしの小学校", 20001, ((18,), (21,), (35,), (16,), (19,), (20,)), 3),
                _lower_secondary("星野町", "星野町立ほしの中学校", 20002, ((28,), (26,), (31,)), 2),
            ),
        ),
        DemoBoard(
            "minato",
            "港野市教育委員会",
            "479903",
            "港野市",
            "999-0303",
            (
                _elementary("港野市", "港野市立みなと小学校", 30001, ((24,), (26,), (35,), (27,), (25,), (29,)), 3),
                _lower_secondary("港野市", "港野市立みなと中学校", 30002, ((33, 32), (34, 33), (30, 30)), 3),
            ),
        ),
    )
}


def demo_id(*key: str) -> str:
    """A UUID v4 that is the same for the same key. For staff the key is the account's user name."""
    named = uuid.uuid5(uuid.NAMESPACE_URL, f"https://komu.example/demo/{'/'.join(key)}")
    return str(uuid.UUID(bytes=named.bytes, version=4))
