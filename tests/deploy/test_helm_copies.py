"""The chart's workloads: what works by itself has names that stay and shares partitions, and all of it can be scaled, drained and updated."""

from pathlib import Path
from typing import Any

import pytest

from services.runtime.kafka_files import reactions_of_all
from services.runtime.processes import MODULES
from tests.deploy.chart import EVERYTHING, NEEDED, env, matches, of, only, pods, rendered, workloads

pytestmark = pytest.mark.timeout(1800)  # the first run builds helm


def test_what_works_by_itself_runs_under_names_that_stay_each_of_one_pod(manifests: list[dict[str, Any]]) -> None:
    named = of(manifests, "StatefulSet")
    for name, workload in workloads(manifests).items():
        pod = workload["spec"]["template"]
        service, part = only(pod)
        given = [e for e in pod["spec"]["containers"][0]["env"] if e["name"] == "DUEWATCH_INSTANCE"]
        if service in ("gateway", "gate") or part == "api":
            assert (name in named, given) == (False, []), "its pods come and go, and belong to no group"
        else:
            assert name in named
            assert given == [{"name": "DUEWATCH_INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}], name
    headless = of(manifests, "Service")["rel-copies"]["spec"]
    for name, workload in named.items():
        spec = workload["spec"]
        assert (spec["serviceName"], spec["podManagementPolicy"]) == ("rel-copies", "Parallel"), name
        assert matches({"matchLabels": headless["selector"]}, spec["template"]["metadata"]["labels"]), name
    assert headless["clusterIP"] == "None"


def test_all_that_react_have_copies_and_no_more_than_partitions(manifests: list[dict[str, Any]]) -> None:
    partitions = int(env(pods(manifests)["rel-screening"])["DUEWATCH_PARTITIONS"])
    scaled = of(manifests, "HorizontalPodAutoscaler")
    reacting = {service for service, reactions in reactions_of_all().items() if reactions}
    found = set()
    for name, workload in of(manifests, "StatefulSet").items():
        spec = scaled[name]["spec"] if name in scaled else None
        least, most = (spec["minReplicas"], spec["maxReplicas"]) if spec else (workload["spec"]["replicas"],) * 2
        assert 1 <= least <= most <= partitions, name
        found.add(only(workload["spec"]["template"])[0])
    assert reacting <= found
    assert found - reacting == {"intelligence"}, "it reads no events, but list releases are its work"


def test_what_replaces_a_default_replaces_it_also_by_nothing(helm: Path, tmp_path: Path) -> None:
    values = {**NEEDED, "defaults": {"autoscaling": {"enabled": True}}, "services": {"audits": {"replicas": 0, "autoscaling": {"enabled": False}}}}  # fmt: skip
    manifests = rendered(helm, tmp_path, values)
    assert of(manifests, "StatefulSet")["rel-audits"]["spec"]["replicas"] == 0
    assert set(of(manifests, "HorizontalPodAutoscaler")) == set(workloads(manifests)) - {"rel-audits"}


def test_names_are_short_enough_for_the_labels_that_a_stateful_set_makes_of_them(helm: Path, tmp_path: Path) -> None:
    manifests = rendered(helm, tmp_path, EVERYTHING, release="a-release-whose-name-is-as-long-as-helm-lets-it-be-53")
    named = of(manifests, "StatefulSet")
    assert max(map(len, named)) + len("-0123456789") <= 63


def test_budgets_and_autoscalers_name_workloads_that_are_there(manifests: list[dict[str, Any]]) -> None:
    running = workloads(manifests)
    budgets = of(manifests, "PodDisruptionBudget")
    assert set(budgets) == set(running)
    for name, budget in budgets.items():
        chosen = [w for w, found in running.items() if matches(budget["spec"]["selector"], found["spec"]["template"]["metadata"]["labels"])]
        assert chosen == [name]
    scaled = of(manifests, "HorizontalPodAutoscaler")
    assert {"rel-gateway", "rel-gate"} <= set(scaled) <= set(running)
    for name, scaler in scaled.items():
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) == (running[name]["kind"], name)
    for name, workload in running.items():
        assert ("replicas" in workload["spec"]) != (name in scaled), "an upgrade must not undo what an autoscaler did"


def test_whoever_reads_in_groups_is_scaled_by_all_of_them_where_the_lag_is_served(helm: Path, tmp_path: Path) -> None:
    groups = {service: {f"duewatch.{r.group}" for r in reactions} for service, reactions in reactions_of_all().items()}
    values = {**NEEDED, "partitions": 3, "services": {name: {"autoscaling": {"enabled": True}} for name in MODULES}}
    for served in (False, True):
        manifests = rendered(helm, tmp_path, {**values, "lagMetric": {"enabled": served}})
        for name, scaler in of(manifests, "HorizontalPodAutoscaler").items():
            service = name.removeprefix("rel-")
            by = scaler["spec"]["metrics"]
            assert by[0]["resource"]["name"] == "cpu"
            lags = [m["external"]["metric"]["selector"]["matchLabels"]["consumergroup"] for m in by if m["type"] == "External"]
            assert set(lags) == (groups.get(service, set()) if served else set()), name
            assert len(by) == len(lags) + 1
            assert scaler["spec"]["maxReplicas"] == (3 if name in of(manifests, "StatefulSet") else 6), name
    split = of(rendered(helm, tmp_path, EVERYTHING), "HorizontalPodAutoscaler")
    assert [m["type"] for m in split["rel-onboarding"]["spec"]["metrics"]] == ["Resource"], "an API belongs to no group"
    assert [m["type"] for m in split["rel-partners-reactions"]["spec"]["metrics"]] == ["Resource", "External", "External"]
