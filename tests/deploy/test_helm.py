"""The chart: helm finds nothing to say against it, and what it renders is valid Kubernetes and keeps our rules. `make test-deploy` runs it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.runtime.backends import Servers
from services.runtime.processes import MODULES
from services.runtime.serving import addresses as read_addresses
from shared.bus.kafka_settings import KafkaSettings
from shared.settings import Settings
from tests.deploy import tools
from tests.deploy.chart import CHART, EVERYTHING, NEEDED, env, matches, of, pods, rendered, run_helm, workloads

pytestmark = pytest.mark.timeout(1800)  # the first run builds helm
_VERSIONS = ("1.27", "1.33", "1.37")  # the oldest that the chart takes, one between, the newest that the validator knows


@pytest.mark.parametrize("values", [NEEDED, EVERYTHING], ids=["needed", "everything"])
def test_lint_has_nothing_to_say(helm: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    done = run_helm(helm, tmp_path, "lint", values, "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("version", _VERSIONS)
def test_kubernetes_would_take_every_manifest(manifests: list[dict[str, Any]], tmp_path: Path, version: str) -> None:
    known = [m for m in manifests if not m["apiVersion"].startswith("monitoring.coreos.com/")]  # the operator's types are not Kubernetes'
    (tmp_path / "known.yaml").write_text(yaml.safe_dump_all(known), encoding="utf-8")
    command = [tools.validator(), "--strict", "--kubernetes-version", version, tmp_path / "known.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count(" passed ") == len(known)


def test_prometheus_finds_every_pod_and_the_rules(helm: Path, tmp_path: Path) -> None:
    assert not {"PodMonitor", "PrometheusRule"} & {m["kind"] for m in rendered(helm, tmp_path, NEEDED)}
    manifests = rendered(helm, tmp_path, EVERYTHING)
    (monitor,), (rules,) = of(manifests, "PodMonitor").values(), of(manifests, "PrometheusRule").values()
    serving = {name: pod for name, pod in pods(manifests).items() if not name.endswith("-setup")}
    assert all(matches(monitor["spec"]["selector"], pod["metadata"]["labels"]) for pod in serving.values())
    assert monitor["spec"]["podMetricsEndpoints"][0]["path"] == "/metrics"
    assert rules["spec"] == yaml.safe_load((CHART.parents[1] / "alerts.yaml").read_text(encoding="utf-8"))
    assert rules["metadata"]["labels"]["release"] == "prometheus"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kafka": {"servers": []}}, "servers"),
        ({"kafka": {**NEEDED["kafka"], "servers": ["user:password@kafka:9092"]}}, "servers"),
        ({"kafka": {"servers": ["kafka:9092"], "credentials": {"existingSecret": ""}}}, "kafka.credentials.existingSecret"),
        ({"mongodb": {}}, "mongodb.existingSecret"),
        ({"keys": {}}, "keys.master.existingSecret"),
        ({"keys": {**NEEDED["keys"], "tokens": {}}}, "keys.tokens.existingSecret"),
        ({"keys": {**NEEDED["keys"], "master": {"existingSecret": "x", "value": "secret"}}}, "value"),
        ({"services": {"unheardof": {}}}, "unheardof"),
        ({"services": {"screening": {"replicas": 5}}}, "screening: 5 copies share 4 partitions"),
        ({"services": {"audits": {"split": True, "reactions": {"replicas": 5}}}}, "audits-reactions: 5 copies share 4 partitions"),
        ({"services": {"audits": {"autoscaling": {"enabled": True, "minReplicas": 5}}}}, "audits: 5 copies share 4 partitions"),
        ({"services": {"gate": {"autoscaling": {"minReplicas": 7}}}}, "gate: autoscaling.minReplicas"),
        ({"services": {"screening": {"split": True}}}, "split"),
        ({"services": {"audits": {"env": {"DUEWATCH_INSTANCE": "one"}}}}, "DUEWATCH_INSTANCE"),
        ({"persistence": {"accessModes": ["ReadWriteOnce"]}}, "accessModes"),
    ],
)
def test_values_that_cannot_be_are_refused(helm: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    done = run_helm(helm, tmp_path, "template", {**NEEDED, **change}, "rel")
    assert done.returncode != 0
    assert said in done.stderr


def test_every_service_runs_and_has_an_address_that_reaches_it(manifests: list[dict[str, Any]]) -> None:
    serving = pods(manifests)
    run = {pod["spec"]["containers"][0]["args"][1] for name, pod in serving.items() if not name.endswith("-setup")}
    assert run == {*MODULES, "gateway"}
    gateway = env(serving["rel-gateway"])
    addresses = read_addresses(gateway["DUEWATCH_SERVICES"])  # as the gateway itself reads them
    services = of(manifests, "Service")
    for service, address in addresses.items():
        name, _, port = address.removeprefix("http://").partition(":")
        assert services[name]["spec"]["ports"][0]["port"] == int(port)
        reached = [
            pod for pod in serving.values() if matches({"matchLabels": services[name]["spec"]["selector"]}, pod["metadata"]["labels"])
        ]
        assert {pod["spec"]["containers"][0]["args"][1] for pod in reached} == {service}
        assert all("reactions" not in pod["spec"]["containers"][0]["args"] for pod in reached)


def test_each_pod_has_settings_that_the_services_read(manifests: list[dict[str, Any]]) -> None:
    for name, pod in pods(manifests).items():
        settings = Settings.read({**env(pod), "DUEWATCH_STORE": "mongodb://of-a-secret/"})
        kafka = KafkaSettings.parse(settings.bus)
        assert (kafka.security, len(kafka.servers)) == ("SASL_SSL", 2), name
        mounted = {m["mountPath"] for m in pod["spec"]["containers"][0]["volumeMounts"]}
        for file in (kafka.username_file, kafka.password_file, kafka.ca_file, kafka.cert_file, kafka.key_file):
            assert file is None or str(file.parent) in mounted, name
    assert Servers  # what reads them


def test_pods_have_no_rights_that_they_do_not_need(manifests: list[dict[str, Any]]) -> None:
    for name, pod in pods(manifests).items():
        spec = pod["spec"]
        assert (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]) == (True, 10001), name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }, name  # fmt: skip
            assert {"requests", "limits"} <= set(container["resources"]), name
            written = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
            assert {"/data", "/tmp"} <= written <= {"/data", "/data/run", "/tmp"}, name


def test_no_secret_is_in_a_manifest_and_keys_come_from_those_that_are_named(manifests: list[dict[str, Any]]) -> None:
    assert not of(manifests, "Secret")
    assert not of(manifests, "ConfigMap")
    for name, workload in workloads(manifests).items():
        pod = workload["spec"]["template"]["spec"]
        store = next(e for e in pod["containers"][0]["env"] if e["name"] == "DUEWATCH_STORE")
        assert set(store) == {"name", "valueFrom"}, name
        keys = next(v for v in pod["volumes"] if v["name"] == "keys")["projected"]
        files = {item["path"] for source in keys["sources"] for item in source["secret"]["items"]}
        assert (
            {"master-key", "journal-key", "journal-key.pub"} <= files <= {"master-key", "journal-key", "journal-key.pub", "token-keys.json"}
        )
        assert keys["defaultMode"] == 0o440


def test_probes_ask_what_the_services_answer(manifests: list[dict[str, Any]]) -> None:
    for name, workload in workloads(manifests).items():
        container = workload["spec"]["template"]["spec"]["containers"][0]
        assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/health/live"
        ready = container["readinessProbe"]["httpGet"]["path"]
        assert ready == ("/health/live" if name == "rel-gateway" else "/health/ready"), (
            "one service that is away must not take the gateway with it"
        )


def test_the_network_lets_in_and_out_what_is_needed_and_no_more(manifests: list[dict[str, Any]]) -> None:
    policies = of(manifests, "NetworkPolicy")
    deny = policies["rel-default-deny"]["spec"]
    assert set(deny["policyTypes"]) == {"Ingress", "Egress"}
    assert not {"ingress", "egress"} & set(deny)
    for name, pod in pods(manifests).items():
        labels = pod["metadata"]["labels"]
        mine = [p["spec"] for p in policies.values() if matches(p["spec"]["podSelector"], labels)]
        assert deny in mine, name
        callers = [peer for policy in mine for rule in policy.get("ingress", []) for peer in rule.get("from", [{}])]
        if name.endswith("-setup"):
            assert not [c for c in callers if "podSelector" in c], "nobody calls it"
        elif name != "rel-gateway":
            inside = [c["podSelector"]["matchLabels"]["duewatch/service"] for c in callers if "podSelector" in c]
            assert inside == ["gateway"], name
        out = {
            p["port"]
            for policy in mine
            for rule in policy.get("egress", [])
            for p in rule["ports"]
            if not any("ipBlock" in t for t in rule.get("to", []))
        }
        assert {53, 9093, 27017} <= out, name
        internet = [t for policy in mine for rule in policy.get("egress", []) for t in rule.get("to", []) if "ipBlock" in t]
        assert bool(internet) == (labels.get("duewatch/service") in ("partners", "intelligence")), name


def test_topics_and_indexes_are_made_before_each_installation_and_upgrade(helm: Path, tmp_path: Path) -> None:
    (job,) = of(rendered(helm, tmp_path, NEEDED), "Job").values()
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    spec = job["spec"]["template"]["spec"]
    assert [c["args"] for c in [*spec["initContainers"], *spec["containers"]]] == [["topics", "apply"], ["store", "migrate"]]
    assert "serviceAccountName" not in spec, "the release's account is not made yet"
    assert not [v for v in spec["volumes"] if "persistentVolumeClaim" in v], "nor is its volume"
    without = of(rendered(helm, tmp_path, {**NEEDED, "setup": {"topics": False}}), "Job")["rel-setup"]["spec"]["template"]["spec"]
    assert "initContainers" not in without


def test_the_data_is_shared_and_outlives_the_release(helm: Path, tmp_path: Path) -> None:
    manifests = rendered(helm, tmp_path, NEEDED)
    claim = of(manifests, "PersistentVolumeClaim")["rel-data"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    given = rendered(helm, tmp_path, {**NEEDED, "persistence": {"existingClaim": "mine"}})
    assert not of(given, "PersistentVolumeClaim")
    for workload in workloads(given).values():
        volumes = {v["name"]: v for v in workload["spec"]["template"]["spec"]["volumes"]}
        assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "mine"}
        assert "emptyDir" in volumes["run"]
