"""What needs helm or Docker runs only where its file is named, as `make test-deploy` and `make test-compose` do: helm alone takes minutes to build."""

from pathlib import Path
from typing import Any

import pytest

from tests.deploy import tools
from tests.deploy.chart import EVERYTHING, NEEDED, rendered

_ASKED_FOR = ("test_helm.py", "test_helm_copies.py", "test_compose.py", "test_observability.py", "test_testcontainers.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = {Path(argument.split("::")[0]).name for argument in config.args}
    return True if collection_path.name in _ASKED_FOR and collection_path.name not in named else None


@pytest.fixture(scope="session")
def helm() -> Path:
    return tools.helm()


@pytest.fixture(params=[NEEDED, EVERYTHING], ids=["needed", "everything"])
def manifests(request: pytest.FixtureRequest, helm: Path, tmp_path: Path) -> list[dict[str, Any]]:
    return rendered(helm, tmp_path, request.param)
