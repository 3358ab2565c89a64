"""The chart, rendered by helm for the tests that look at it: with the values that it needs, and with everything."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "deploy/helm/duewatch"
NEEDED: dict[str, Any] = {
    "kafka": {"servers": ["kafka-0.kafka:9093", "kafka-1.kafka:9093"], "credentials": {"existingSecret": "kafka-user"}, "ca": {"existingSecret": "kafka-ca"}},
    "mongodb": {"existingSecret": "mongo-uri"},
    "keys": {name: {"existingSecret": f"keys-{name}"} for name in ("master", "journal", "tokens")},
}  # fmt: skip
EVERYTHING: dict[str, Any] = {
    **NEEDED,
    "kafka": {**NEEDED["kafka"], "clientCertificate": {"existingSecret": "kafka-client"}},
    "image": {"repository": "example.org/duewatch", "digest": "sha256:" + "0" * 64, "pullSecrets": ["pull"]},
    "partitions": 8,
    "egressAllow": "10.20.0.0/16",
    "oidc": {"issuer": "https://issuer.example", "jwks": "https://issuer.example/keys"},
    "services": {
        "onboarding": {"split": True, "autoscaling": {"enabled": True}, "reactions": {"replicas": 3, "autoscaling": {"enabled": False}}, "env": {"DUEWATCH_HEAD_EVERY_S": "30"}},
        "screening": {"replicas": 8},
        "assessment": {"autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 20, "lag": 500}},
        "intelligence": {"split": True, "reactions": {"autoscaling": {"enabled": True}}},
        "partners": {"split": True, "reactions": {"autoscaling": {"enabled": True}}, "kafkaCredentials": {"existingSecret": "partners-user"}, "mongodbSecret": "partners-uri", "podAnnotations": {"a": "b"}},
        "gateway": {"nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "x", "operator": "Exists"}]},
    },
    "lagMetric": {"enabled": True},
    "networkPolicy": {"gatewayFrom": [{"namespaceSelector": {}}], "metricsFrom": [{"namespaceSelector": {}}], "kafka": {"to": [{"podSelector": {}}], "ports": [9093]}},
    "telemetry": {"endpoint": "http://collector:4318", "podMonitor": {"enabled": True}, "rules": {"enabled": True, "labels": {"release": "prometheus"}}},
    "persistence": {"storageClass": "shared"},
}  # fmt: skip


def run_helm(helm: Path, folder: Path, verb: str, values: dict[str, Any], *more: str) -> subprocess.CompletedProcess[str]:
    """`helm VERB MORE... CHART` with these values."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    return subprocess.run([helm, verb, *more, CHART, "-f", file, "--kube-version", "1.33.0"], capture_output=True, text=True, timeout=60)


def rendered(helm: Path, folder: Path, values: dict[str, Any], release: str = "rel") -> list[dict[str, Any]]:
    """The manifests, which also stand in `folder`/rendered.yaml."""
    done = run_helm(helm, folder, "template", values, release)
    assert done.returncode == 0, done.stderr
    (folder / "rendered.yaml").write_text(done.stdout, encoding="utf-8")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Those of a kind, by name."""
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] == kind}


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The pods that workloads and jobs make, by the name of these."""
    return {name: m["spec"]["template"] for name, m in {**workloads(manifests), **of(manifests, "Job")}.items()}


def workloads(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What runs for ever, by name."""
    return {**of(manifests, "Deployment"), **of(manifests, "StatefulSet")}


def only(pod: dict[str, Any]) -> tuple[str, str]:
    """Service and what of it, as `duewatch serve` is told."""
    _, service, *rest = pod["spec"]["containers"][0]["args"]
    return service, rest[1] if rest else ""


def env(pod: dict[str, Any]) -> dict[str, str]:
    """What its first container is told; "" for what is taken from elsewhere."""
    return {e["name"]: e.get("value", "") for e in pod["spec"]["containers"][0]["env"]}


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """As Kubernetes decides it."""
    tests = {"In": lambda e: labels.get(e["key"]) in e["values"], "NotIn": lambda e: labels.get(e["key"]) not in e["values"], "Exists": lambda e: e["key"] in labels}  # fmt: skip
    return all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items()) and all(
        tests[e["operator"]](e) for e in selector.get("matchExpressions", [])
    )
