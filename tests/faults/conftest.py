"""The long tests of the stream run only where their file is named, as `make test-streams` does; see ADR 0011."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = {Path(argument.split("::")[0]).name for argument in config.args}
    return True if collection_path.name == "test_hotspots_stream_long.py" and collection_path.name not in named else None
