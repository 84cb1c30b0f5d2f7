"""The pages people read: every command in them exists, every link leads somewhere, decisions are numbered once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documented import ELSEWHERE, NOT_RUN, PAGES, ROOT, RUN, code_of, commands_of

ADR = ROOT / "docs" / "adr"

MAKE = re.compile(r"(?:^|[\s;&|(])make ([a-z][a-z0-9-]*)((?: [A-Z]+=\S+)*)")
MODULE = re.compile(r"python3? -m ([a-z_][\w.]*)((?: [a-z][a-z0-9-]*)?)")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def make_commands(page: str) -> set[tuple[str, tuple[str, ...]]]:
    """Targets with the names of the variables they are given."""
    return {
        (target, tuple(sorted(word.split("=")[0] for word in given.split())))
        for line in code_of(page)
        for target, given in MAKE.findall(line)
    }


def module_commands(page: str) -> set[tuple[str, str]]:
    """Modules with the subcommand that follows, if one does."""
    return {(module, word.strip()) for line in code_of(page) for module, word in MODULE.findall(line)}


def missing_links(page: str, folder: Path) -> list[str]:
    """Relative links that lead to no file."""
    plain = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    targets = [link.split("#")[0] for link in LINK.findall(plain) if not re.match(r"[a-z]+:|#", link)]
    return [target for target in targets if not (folder / target).exists()]


def numbered_twice(names: list[str]) -> list[str]:
    """Numbers of decisions that two pages bear."""
    numbers = [name.split("-")[0] for name in names]
    return sorted({number for number in numbers if numbers.count(number) > 1})


def makefile() -> tuple[set[str], set[str]]:
    """Targets, and variables that may be given."""
    text = (ROOT / "Makefile").read_text()
    rules = re.findall(r"^([a-z][a-z0-9 -]*):(?!=)", text, re.MULTILINE)
    return {name for rule in rules for name in rule.split()}, set(re.findall(r"\$\(([A-Z]+)\)", text))


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def every_module_command() -> list[tuple[str, str]]:
    return sorted({command for page in PAGES for command in module_commands(page.read_text())})


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_make_command_exists(page: Path):
    targets, variables = makefile()
    for target, given in make_commands(page.read_text()):
        assert target in targets, f"{named(page)}: make {target} is no target"
        assert set(given) <= variables, f"{named(page)}: make {target} knows no {set(given) - variables}"


def is_tool_of_tests(module: str) -> bool:
    """Those are only looked for: one without `--help` would do its work (the contract replaced)."""
    return "tests" in module.split(".")


@pytest.mark.parametrize(("module", "word"), every_module_command())
def test_every_module_command_explains_itself(module: str, word: str):
    if is_tool_of_tests(module):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()
        return
    command = [sys.executable, "-m", module, *([word] if word else []), "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_every_command_is_run_or_it_is_said_why_not():
    written = set().union(*(commands_of(page.read_text()) for page in PAGES))
    tried = [*RUN, *ELSEWHERE, *NOT_RUN]
    assert len(tried) == len(set(tried)), "each command is in one list"
    assert written == set(tried)


def test_the_tests_that_run_commands_exist():
    for command, place in ELSEWHERE.items():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(), f"{command}: there is no {place}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path):
    assert missing_links(page.read_text(), page.parent) == []


def test_every_decision_has_its_own_number_and_bears_it():
    pages = sorted(ADR.glob("*.md"))
    assert numbered_twice([page.name for page in pages]) == []
    for page in pages:
        title = page.read_text().splitlines()[0]
        number = re.match(r"# (?:ADR )?0*(\d+)\b", title)
        assert number, f"{page.name} begins with “# <number>. <decision>”"
        assert int(number[1]) == int(page.name[:4]), page.name


def test_both_readmes_say_the_same_commands_and_links():
    english, japanese = ((ROOT / name).read_text() for name in ("README.md", "README.ja.md"))
    assert make_commands(english) == make_commands(japanese)


def test_the_guard_sees_what_is_wrong(tmp_path: Path):
    page = "```sh\nmake nothing STACK=x # says\npython -m no.such thing\n```\n`make other` [a](gone.md) [b](https://x.example)"
    assert make_commands(page) == {("nothing", ("STACK",)), ("other", ())}
    assert commands_of(page) == {"make nothing STACK=x", "python -m no.such thing", "make other"}
    assert "nothing" not in makefile()[0]
    assert module_commands(page) == {("no.such", "thing")}
    assert missing_links(page, tmp_path) == ["gone.md"]
    assert numbered_twice(["0001-a.md", "0002-b.md", "0001-c.md"]) == ["0001"]
