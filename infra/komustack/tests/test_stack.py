"""Names, ports and accounts of stacks."""

import json
import uuid
from pathlib import Path

import pytest
from jpschool.codes import why_not_board_code, why_not_school_code
from komustack import demo
from komustack.say import Problem
from komustack.stack import Stack, open_stack, remember_ports


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOMU_HOME", str(tmp_path))


def test_main_and_second_have_addresses_that_a_person_remembers() -> None:
    assert open_stack("main").portal_url == "http://localhost:8000"
    assert open_stack("second").portal_url == "http://localhost:8200"


def test_other_stacks_take_a_free_range_and_keep_it() -> None:
    stack = open_stack("trial")
    stack.home.mkdir()
    remember_ports(stack)
    assert open_stack("trial") == stack
    assert len(set(stack.ports.values())) == len(stack.ports)


def test_two_realms_on_localhost_do_not_share_cookies() -> None:
    assert {open_stack(name, 9000).realm for name in ("main", "second")} == {"komu", "komu-second"}


@pytest.mark.parametrize("name", ["", "parts", "directory", "A", "../x", "あ", "a" * 31])
def test_names_that_cannot_be_folders_are_refused(name: str) -> None:
    with pytest.raises(Problem, match="使えません"):
        open_stack(name)


@pytest.mark.parametrize("port", [80, 65_530])
def test_ports_outside_the_possible_are_refused(port: int) -> None:
    with pytest.raises(Problem, match="ポート番号"):
        open_stack("trial", port)


def test_a_persons_id_is_the_same_on_every_machine_and_looks_random() -> None:
    assert demo.person_id("aozora.es.teacher1") == uuid.UUID("625fda69-88b9-41ea-acd8-cbbc36b6cfbe")
    assert demo.person_id("aozora.es.teacher1").version == 4


def test_the_invented_codes_have_the_right_form() -> None:
    for board in demo.BOARDS.values():
        assert why_not_board_code(board.code) is None
        for school in board.schools:
            assert why_not_school_code(school.code) is None


def test_accounts_cover_every_role_and_one_without_second_factor() -> None:
    people = demo.accounts("main")
    assert {person.role for person in people} == {
        "board_admin", "principal", "vice_principal", "office", "teacher"
    }  # fmt: skip
    assert [person.username for person in people if not person.second_factor] == ["aozora.es.teacher9"]
    assert {person.board.tenant for person in demo.accounts("second")} == {"minato"}


def test_passwords_are_made_on_this_machine(tmp_path: Path) -> None:
    one, other = Stack("one", tmp_path, 9000), Stack("other", tmp_path, 9100)
    assert demo.password(one, "x") == demo.password(one, "x")
    assert demo.password(one, "x") != demo.password(other, "x")
    assert len(demo.password(one, "x")) == 14


def test_remembered_ports_are_readable(tmp_path: Path) -> None:
    stack = Stack("one", tmp_path, 9000)
    stack.home.mkdir()
    remember_ports(stack)
    assert json.loads((stack.home / "ports.json").read_text())["ports"]["portal"] == 9000
