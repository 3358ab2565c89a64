"""Where processors are short, who answers procurement goes first: the gate, the gateway, and on one machine the servers that they wait for."""

from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).parents[2]
_FIRST, _WHOLE_SHARE = {"gate", "gateway"}, 1024  # what Docker gives a container of which nothing is said


def test_of_one_machine() -> None:
    services: dict[str, Any] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    shares = {name: one.get("cpu_shares", _WHOLE_SHARE) for name, one in services.items()}
    first = {name for name, share in shares.items() if share == _WHOLE_SHARE}
    assert first == _FIRST | {"kafka", "mongo"}
    assert all(share <= _WHOLE_SHARE / 3 for name, share in shares.items() if name not in first)


def test_of_a_cluster() -> None:
    values: dict[str, Any] = yaml.safe_load((_ROOT / "deploy/helm/duewatch/values.yaml").read_text(encoding="utf-8"))

    def asked(name: str) -> int:
        given = values["services"][name].get("resources", {}).get("requests", values["defaults"]["resources"]["requests"])
        return int(given["cpu"].removesuffix("m"))

    assert all(asked(name) >= max(asked(other) for other in values["services"]) for name in _FIRST)
