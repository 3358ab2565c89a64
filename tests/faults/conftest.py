"""Long tests run only where their file is named, or their folder is: `make test-streams` (ADR 0011), `make test-faults`. Of the faults on real
servers those run always in which processes and servers are killed and messages are spoilt."""

from pathlib import Path

import pytest

_LONG = {"test_hotspots_stream_long.py", "test_churn.py", "test_machines.py", "test_releases.py", "test_replay.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = {Path(argument.split("::")[0]).name for argument in config.args}
    below = any(argument.startswith("tests/faults/servers") for argument in config.args)
    return True if collection_path.name in _LONG and collection_path.name not in named and not below else None
