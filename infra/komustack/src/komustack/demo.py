"""The demo boards' staff accounts: invented people of みらい県, the same for Keycloak and for the demo roster.

The roster itself (pupils, classes, duties) comes through the product's own import; here is only who can sign in."""

import base64
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from jpschool.codes import school_code_check_digit

from komustack.stack import Stack, write_private


@dataclass(frozen=True)
class School:
    key: str
    name: str
    code: str
    """学校コード, 13 characters."""


@dataclass(frozen=True)
class Board:
    """教育委員会: one tenant."""

    tenant: str
    name: str
    code: str
    """教育委員会コード, 6 digits; the prefecture number 99 is invented."""
    elementary: School
    lower_secondary: School

    @property
    def schools(self) -> tuple[School, School]:
        return self.elementary, self.lower_secondary

    @property
    def organisation(self) -> str:
        """How the board is called in the trust directory."""
        return f"board:{self.code}"


@dataclass(frozen=True)
class Account:
    """A staff member who can sign in."""

    username: str
    family_name: str
    given_name: str
    role: str
    board: Board
    school: School | None
    second_factor: bool = True

    @property
    def name(self) -> str:
        return f"{self.family_name} {self.given_name}"

    @property
    def person_id(self) -> uuid.UUID:
        return person_id(self.username)


def person_id(username: str) -> uuid.UUID:
    """The roster's id of the staff member behind an account: stable, shaped as a version 4 UUID."""
    named = uuid.uuid5(uuid.NAMESPACE_URL, f"https://komu.example/demo/{username}")
    return uuid.UUID(bytes=named.bytes, version=4)


def _school(key: str, name: str, kind: str, number: int) -> School:
    twelve = f"{kind}47299{number:05d}"
    return School(key, name, twelve + school_code_check_digit(twelve))


BOARDS = {
    board.tenant: board
    for board in (
        Board(
            "aozora",
            "青空市教育委員会",
            "479901",
            _school("es", "青空市立あおぞら小学校", "B1", 10001),
            _school("jh", "青空市立あおぞら中学校", "C1", 10002),
        ),
        Board(
            "hoshi",
            "星野町教育委員会",
            "479902",
            _school("es", "星野町立ほしの小学校", "B1", 20001),
            _school("jh", "星野町立ほしの中学校", "C1", 20002),
        ),
        Board(
            "minato",
            "港野市教育委員会",
            "479903",
            _school("es", "港野市立みなと小学校", "B1", 30001),
            _school("jh", "港野市立みなと中学校", "C1", 30002),
        ),
    )
}

_STAFF = {
    # username suffix → role, and a (family, given) name per board
    "board": ("board_admin", {"aozora": ("教委", "管理"), "hoshi": ("星教", "管子"), "minato": ("港教", "管太")}),
    "es.principal": ("principal", {"aozora": ("青木", "校一"), "hoshi": ("星川", "長子"), "minato": ("港", "学")}),
    "es.vice": ("vice_principal", {"aozora": ("空野", "教子"), "hoshi": ("星田", "頭一"), "minato": ("波野", "教二")}),
    "es.office": ("office", {"aozora": ("雲井", "事郎"), "hoshi": ("星山", "務子"), "minato": ("浜野", "事子")}),
    "es.teacher1": ("teacher", {"aozora": ("髙橋", "担子"), "hoshi": ("星﨑", "任一"), "minato": ("𠮷田", "担朗")}),
    "es.teacher2": ("teacher", {"aozora": ("虹田", "二郎"), "hoshi": ("星野", "二葉"), "minato": ("潮田", "二海")}),
    "es.teacher3": ("teacher", {"aozora": ("風間", "三奈"), "hoshi": ("星谷", "三郎"), "minato": ("磯部", "三帆")}),
    "es.teacher4": ("teacher", {"aozora": ("雨宮", "四季"), "hoshi": ("星村", "四葉"), "minato": ("岬", "四郎")}),
    "es.teacher9": ("teacher", {"aozora": ("霧島", "未登"), "hoshi": ("星原", "未録"), "minato": ("沖", "未来")}),
    "jh.principal": ("principal", {"aozora": ("青山", "中子"), "hoshi": ("星本", "中一"), "minato": ("港川", "中央")}),
    "jh.vice": ("vice_principal", {"aozora": ("空田", "副一"), "hoshi": ("星岡", "副子"), "minato": ("波田", "副次")}),
    "jh.office": ("office", {"aozora": ("雲野", "文子"), "hoshi": ("星沢", "文郎"), "minato": ("浜田", "文")}),
    "jh.teacher1": ("teacher", {"aozora": ("日向", "国語"), "hoshi": ("星井", "数子"), "minato": ("渚", "英一")}),
    "jh.teacher2": ("teacher", {"aozora": ("陽田", "数馬"), "hoshi": ("星名", "英子"), "minato": ("汐見", "理子")}),
    "jh.teacher3": ("teacher", {"aozora": ("月岡", "英美"), "hoshi": ("星居", "理一"), "minato": ("灘", "社会")}),
}
_WITHOUT_SECOND_FACTOR = {"aozora.es.teacher9"}


def boards_of(stack_name: str) -> list[Board]:
    """`second` plays the other city; every other stack holds the two boards of one prefecture."""
    return [BOARDS["minato"]] if stack_name == "second" else [BOARDS["aozora"], BOARDS["hoshi"]]


def accounts(stack_name: str = "main") -> list[Account]:
    found = []
    for board in boards_of(stack_name):
        for suffix, (role, names) in _STAFF.items():
            username = f"{board.tenant}.{suffix}"
            school = {"es": board.elementary, "jh": board.lower_secondary}.get(suffix.partition(".")[0])
            family, given = names[board.tenant]
            second = username not in _WITHOUT_SECOND_FACTOR
            found.append(Account(username, family, given, role, board, school, second))
    return found


_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def password(stack: Stack, username: str) -> str:
    """Made on this machine at the first asking. Twelve letters in three groups: 59 bits, and a person can type them."""
    return _kept(
        stack,
        f"account-{username}",
        lambda: "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3)),
    )


def otp_secret(stack: Stack, username: str) -> str:
    """The raw text that Keycloak keeps; authenticator apps take its base32 form."""
    return _kept(stack, f"otp-{username}", lambda: "".join(secrets.choice(_LETTERS) for _ in range(20)))


def otp_secret_base32(stack: Stack, username: str) -> str:
    return base64.b32encode(otp_secret(stack, username).encode()).decode()


def _kept(stack: Stack, name: str, make: Callable[[], str]) -> str:
    path = stack.home / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, make())
    return path.read_text()
