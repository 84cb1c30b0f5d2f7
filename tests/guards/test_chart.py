"""Promises about the chart: valid, restricted, probed, bounded, and no door that calls.yaml does not list."""

from __future__ import annotations

import copy
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.charttools import ROOT, render

VARIANTS = [(), ("board",), ("prefecture",), ("evaluation",)]
KUBERNETES = "1.34"


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda names: "+".join(names) or "default")
def resources(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(*request.param)


def pods(resources: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (resource["metadata"]["name"], resource["spec"]["template"]["spec"])
        for resource in resources
        if resource["kind"] in ("Deployment", "StatefulSet", "Job")
    ]


def test_every_resource_fits_the_kubernetes_schemas(resources: list[dict[str, Any]]):
    for resource in resources:
        if resource["apiVersion"].startswith("cert-manager.io"):
            continue  # a custom resource: its schema is not Kubernetes' own
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def test_pods_are_restricted_and_bounded(resources: list[dict[str, Any]]):
    for name, pod in pods(resources):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name


def test_services_have_probes_and_survive_disruption(resources: list[dict[str, Any]]):
    deployments = {r["metadata"]["name"]: r for r in resources if r["kind"] == "Deployment"}
    budgets = {r["metadata"]["name"] for r in resources if r["kind"] == "PodDisruptionBudget"}
    assert deployments.keys() == budgets
    for name, deployment in deployments.items():
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys(), name


def test_no_secret_stands_in_the_chart(resources: list[dict[str, Any]]):
    assert not [r["metadata"]["name"] for r in resources if r["kind"] == "Secret"]


def test_doors_are_exactly_the_listed_ones():
    calls = yaml.safe_load((ROOT / "infra" / "calls.yaml").read_text("utf-8"))["calls"]
    policies = {r["metadata"]["name"]: r["spec"] for r in render() if r["kind"] == "NetworkPolicy"}
    assert policies["komu-default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for service in ("roster", "attendance", "grades", "reports", "dataexchange", "learning", "portal"):
        ingress = policies[f"komu-{service}"]["ingress"] or []
        callers = {
            peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
            for rule in ingress
            for peer in rule["from"]
            if "namespaceSelector" not in peer
        }
        assert callers == set(calls.get(service, {})), service


def test_every_service_has_a_workload_and_back():
    folders = {path.name for path in (ROOT / "services").iterdir() if (path / "src").is_dir()}
    deployed = [r["spec"]["template"]["metadata"]["labels"] for r in render() if r["kind"] == "Deployment"]
    workloads = {labels["app.kubernetes.io/name"] for labels in deployed}
    assert workloads == folders


def test_the_guard_sees_a_container_without_limits():
    broken = copy.deepcopy(render())
    container = next(r for r in broken if r["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
    del container["resources"]["limits"]
    with pytest.raises(KeyError):
        test_pods_are_restricted_and_bounded(broken)
