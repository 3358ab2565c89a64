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

pytestmark = pytest.mark.timeout(1800)  # the first run builds helm
_CHART = Path(__file__).parents[2] / "deploy/helm/duewatch"
_VERSIONS = ("1.27", "1.33", "1.37")  # the oldest that the chart takes, one between, the newest that the validator knows
_NEEDED: dict[str, Any] = {
    "kafka": {"servers": ["kafka-0.kafka:9093", "kafka-1.kafka:9093"], "credentials": {"existingSecret": "kafka-user"}, "ca": {"existingSecret": "kafka-ca"}},
    "mongodb": {"existingSecret": "mongo-uri"},
    "keys": {name: {"existingSecret": f"keys-{name}"} for name in ("master", "journal", "tokens")},
}  # fmt: skip
_EVERYTHING: dict[str, Any] = {
    **_NEEDED,
    "kafka": {**_NEEDED["kafka"], "clientCertificate": {"existingSecret": "kafka-client"}},
    "image": {"repository": "example.org/duewatch", "digest": "sha256:" + "0" * 64, "pullSecrets": ["pull"]},
    "partitions": 8,
    "screening": {"workers": 3},
    "egressAllow": "10.20.0.0/16",
    "oidc": {"issuer": "https://issuer.example", "jwks": "https://issuer.example/keys"},
    "services": {
        "onboarding": {"split": True, "replicas": 3, "reactions": 2, "autoscaling": {"enabled": True}, "env": {"DUEWATCH_HEAD_EVERY_S": "30"}},
        "partners": {"split": True, "kafkaCredentials": {"existingSecret": "partners-user"}, "mongodbSecret": "partners-uri", "podAnnotations": {"a": "b"}},
        "gateway": {"nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "x", "operator": "Exists"}]},
    },
    "lagAutoscaling": {"enabled": True},
    "networkPolicy": {"gatewayFrom": [{"namespaceSelector": {}}], "metricsFrom": [{"namespaceSelector": {}}], "kafka": {"to": [{"podSelector": {}}], "ports": [9093]}},
    "telemetry": {"endpoint": "http://collector:4318", "podMonitor": {"enabled": True}, "rules": {"enabled": True, "labels": {"release": "prometheus"}}},
    "persistence": {"storageClass": "shared"},
}  # fmt: skip


@pytest.fixture(scope="session")
def helm() -> Path:
    return tools.helm()


def _helm(helm: Path, folder: Path, verb: str, values: dict[str, Any], *more: str) -> subprocess.CompletedProcess[str]:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    command = [helm, verb, *(["rel"] if verb == "template" else []), _CHART, "-f", file, "--kube-version", "1.33.0", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def _rendered(helm: Path, folder: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    done = _helm(helm, folder, "template", values)
    assert done.returncode == 0, done.stderr
    (folder / "rendered.yaml").write_text(done.stdout, encoding="utf-8")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.fixture(params=[_NEEDED, _EVERYTHING], ids=["needed", "everything"])
def manifests(request: pytest.FixtureRequest, helm: Path, tmp_path: Path) -> list[dict[str, Any]]:
    return _rendered(helm, tmp_path, request.param)


def _of(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] == kind}


def _pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {m["metadata"]["name"]: m["spec"]["template"] for m in manifests if m["kind"] in ("Deployment", "Job")}


def _env(pod: dict[str, Any]) -> dict[str, str]:
    return {e["name"]: e.get("value", "") for e in pod["spec"]["containers"][0]["env"]}


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    tests = {"In": lambda e: labels.get(e["key"]) in e["values"], "NotIn": lambda e: labels.get(e["key"]) not in e["values"], "Exists": lambda e: e["key"] in labels}  # fmt: skip
    return all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items()) and all(
        tests[e["operator"]](e) for e in selector.get("matchExpressions", [])
    )


@pytest.mark.parametrize("values", [_NEEDED, _EVERYTHING], ids=["needed", "everything"])
def test_lint_has_nothing_to_say(helm: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    done = _helm(helm, tmp_path, "lint", values, "--strict")
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
    assert not {"PodMonitor", "PrometheusRule"} & {m["kind"] for m in _rendered(helm, tmp_path, _NEEDED)}
    manifests = _rendered(helm, tmp_path, _EVERYTHING)
    (monitor,), (rules,) = _of(manifests, "PodMonitor").values(), _of(manifests, "PrometheusRule").values()
    serving = {name: pod for name, pod in _pods(manifests).items() if not name.endswith("-setup")}
    assert all(_matches(monitor["spec"]["selector"], pod["metadata"]["labels"]) for pod in serving.values())
    assert monitor["spec"]["podMetricsEndpoints"][0]["path"] == "/metrics"
    assert rules["spec"] == yaml.safe_load((_CHART.parents[1] / "alerts.yaml").read_text(encoding="utf-8"))
    assert rules["metadata"]["labels"]["release"] == "prometheus"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kafka": {"servers": []}}, "servers"),
        ({"kafka": {**_NEEDED["kafka"], "servers": ["user:password@kafka:9092"]}}, "servers"),
        ({"kafka": {"servers": ["kafka:9092"], "credentials": {"existingSecret": ""}}}, "kafka.credentials.existingSecret"),
        ({"mongodb": {}}, "mongodb.existingSecret"),
        ({"keys": {}}, "keys.master.existingSecret"),
        ({"keys": {**_NEEDED["keys"], "tokens": {}}}, "keys.tokens.existingSecret"),
        ({"keys": {**_NEEDED["keys"], "master": {"existingSecret": "x", "value": "secret"}}}, "value"),
        ({"services": {"unheardof": {}}}, "unheardof"),
        ({"screening": {"workers": 5}}, "screening.workers"),
        ({"persistence": {"accessModes": ["ReadWriteOnce"]}}, "accessModes"),
    ],
)
def test_values_that_cannot_be_are_refused(helm: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    done = _helm(helm, tmp_path, "template", {**_NEEDED, **change})
    assert done.returncode != 0
    assert said in done.stderr


def test_every_service_runs_and_has_an_address_that_reaches_it(manifests: list[dict[str, Any]]) -> None:
    pods = _pods(manifests)
    run = {pod["spec"]["containers"][0]["args"][1] for name, pod in pods.items() if not name.endswith("-setup")}
    assert run == {*MODULES, "gateway"}
    gateway = _env(pods["rel-gateway"])
    addresses = read_addresses(gateway["DUEWATCH_SERVICES"])  # as the gateway itself reads them
    services = _of(manifests, "Service")
    for service, address in addresses.items():
        name, _, port = address.removeprefix("http://").partition(":")
        assert services[name]["spec"]["ports"][0]["port"] == int(port)
        reached = [pod for pod in pods.values() if _matches({"matchLabels": services[name]["spec"]["selector"]}, pod["metadata"]["labels"])]
        assert {pod["spec"]["containers"][0]["args"][1] for pod in reached} == {service}
        assert all("reactions" not in pod["spec"]["containers"][0]["args"] for pod in reached)


def test_each_pod_has_settings_that_the_services_read(manifests: list[dict[str, Any]]) -> None:
    for name, pod in _pods(manifests).items():
        settings = Settings.read({**_env(pod), "DUEWATCH_STORE": "mongodb://of-a-secret/"})
        kafka = KafkaSettings.parse(settings.bus)
        assert (kafka.security, len(kafka.servers)) == ("SASL_SSL", 2), name
        mounted = {m["mountPath"] for m in pod["spec"]["containers"][0]["volumeMounts"]}
        for file in (kafka.username_file, kafka.password_file, kafka.ca_file, kafka.cert_file, kafka.key_file):
            assert file is None or str(file.parent) in mounted, name
    assert Servers  # what reads them


def test_every_partition_of_screening_has_one_owner(manifests: list[dict[str, Any]]) -> None:
    workers = {name: d for name, d in _of(manifests, "Deployment").items() if name.startswith("rel-screening-")}
    owned: list[int] = []
    for name, deployment in workers.items():
        settings = Settings.read({**_env(deployment["spec"]["template"]), "DUEWATCH_STORE": "mongodb://of-a-secret/"})
        owned += settings.owned() or ()
        assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]["type"]) == (1, "Recreate"), name
        assert name not in _of(manifests, "HorizontalPodAutoscaler")
    assert sorted(owned) == list(range(settings.partitions))


def test_pods_have_no_rights_that_they_do_not_need(manifests: list[dict[str, Any]]) -> None:
    for name, pod in _pods(manifests).items():
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
    assert not _of(manifests, "Secret")
    assert not _of(manifests, "ConfigMap")
    for name, deployment in _of(manifests, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        store = next(e for e in pod["containers"][0]["env"] if e["name"] == "DUEWATCH_STORE")
        assert set(store) == {"name", "valueFrom"}, name
        keys = next(v for v in pod["volumes"] if v["name"] == "keys")["projected"]
        files = {item["path"] for source in keys["sources"] for item in source["secret"]["items"]}
        assert (
            {"master-key", "journal-key", "journal-key.pub"} <= files <= {"master-key", "journal-key", "journal-key.pub", "token-keys.json"}
        )
        assert keys["defaultMode"] == 0o440


def test_probes_ask_what_the_services_answer(manifests: list[dict[str, Any]]) -> None:
    for name, deployment in _of(manifests, "Deployment").items():
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/health/live"
        ready = container["readinessProbe"]["httpGet"]["path"]
        assert ready == ("/health/live" if name == "rel-gateway" else "/health/ready"), (
            "one service that is away must not take the gateway with it"
        )


def test_budgets_and_autoscalers_name_workloads_that_are_there(manifests: list[dict[str, Any]]) -> None:
    deployments = _of(manifests, "Deployment")
    budgets = _of(manifests, "PodDisruptionBudget")
    assert set(budgets) == set(deployments)
    for name, budget in budgets.items():
        chosen = [
            d for d, found in deployments.items() if _matches(budget["spec"]["selector"], found["spec"]["template"]["metadata"]["labels"])
        ]
        assert chosen == [name]
    scaled = _of(manifests, "HorizontalPodAutoscaler")
    assert {"rel-gateway", "rel-gate"} <= set(scaled) <= set(deployments)
    for name, deployment in deployments.items():
        assert ("replicas" in deployment["spec"]) != (name in scaled), "an upgrade must not undo what an autoscaler did"


def test_lag_scales_reactions_only_where_it_is_asked_for(helm: Path, tmp_path: Path) -> None:
    def metrics(manifests: list[dict[str, Any]]) -> set[str]:
        return {m["type"] for h in _of(manifests, "HorizontalPodAutoscaler").values() for m in h["spec"]["metrics"]}

    assert metrics(_rendered(helm, tmp_path, _NEEDED)) == {"Resource"}
    manifests = _rendered(helm, tmp_path, _EVERYTHING)
    assert metrics(manifests) == {"Resource", "External"}
    scaler = _of(manifests, "HorizontalPodAutoscaler")["rel-partners-reactions"]["spec"]
    groups = {m["external"]["metric"]["selector"]["matchLabels"]["consumergroup"] for m in scaler["metrics"]}
    assert groups == {"duewatch.partners-feed", "duewatch.partners-deliveries"}
    assert scaler["maxReplicas"] <= _EVERYTHING["partitions"]


def test_the_network_lets_in_and_out_what_is_needed_and_no_more(manifests: list[dict[str, Any]]) -> None:
    policies = _of(manifests, "NetworkPolicy")
    deny = policies["rel-default-deny"]["spec"]
    assert set(deny["policyTypes"]) == {"Ingress", "Egress"}
    assert not {"ingress", "egress"} & set(deny)
    for name, pod in _pods(manifests).items():
        labels = pod["metadata"]["labels"]
        mine = [p["spec"] for p in policies.values() if _matches(p["spec"]["podSelector"], labels)]
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
    (job,) = _of(_rendered(helm, tmp_path, _NEEDED), "Job").values()
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    spec = job["spec"]["template"]["spec"]
    assert [c["args"] for c in [*spec["initContainers"], *spec["containers"]]] == [["topics", "apply"], ["store", "migrate"]]
    assert "serviceAccountName" not in spec, "the release's account is not made yet"
    assert not [v for v in spec["volumes"] if "persistentVolumeClaim" in v], "nor is its volume"
    without = _of(_rendered(helm, tmp_path, {**_NEEDED, "setup": {"topics": False}}), "Job")["rel-setup"]["spec"]["template"]["spec"]
    assert "initContainers" not in without


def test_the_data_is_shared_and_outlives_the_release(helm: Path, tmp_path: Path) -> None:
    manifests = _rendered(helm, tmp_path, _NEEDED)
    claim = _of(manifests, "PersistentVolumeClaim")["rel-data"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    given = _rendered(helm, tmp_path, {**_NEEDED, "persistence": {"existingClaim": "mine"}})
    assert not _of(given, "PersistentVolumeClaim")
    for deployment in _of(given, "Deployment").values():
        volumes = {v["name"]: v for v in deployment["spec"]["template"]["spec"]["volumes"]}
        assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "mine"}
        assert "emptyDir" in volumes["run"]
