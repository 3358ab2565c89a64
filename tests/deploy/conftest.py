"""What needs helm or Docker runs only where its file is named, as `make test-deploy` and `make test-compose` do: helm alone takes minutes to build."""

from pathlib import Path

import pytest

_ASKED_FOR = ("test_helm.py", "test_compose.py", "test_observability.py", "test_testcontainers.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = {Path(argument.split("::")[0]).name for argument in config.args}
    return True if collection_path.name in _ASKED_FOR and collection_path.name not in named else None
