"""Options `--seeds N`: how many seeds the simulation runs (200 where it is not given); `--churn SECONDS`: how long a worker comes and goes on
real servers. Here, so that they are known wherever pytest starts.

Of several workers, one runs all tests of a folder that share one system: each worker would start one of its own.

The fixtures `kafka` and `mongo`, real servers, come from tests/infra.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.infra.fixtures"]

TOGETHER = ("tests/faults/servers/",)
AT_ONCE = 10  # seeds a test, so that workers can share them


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=200, help="how many seeds the simulation runs")
    parser.addoption("--churn", type=float, default=10.0, help="for how many seconds a worker comes and goes, on real servers")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        count = metafunc.config.getoption("--seeds", 200)
        chunks = [range(at, min(at + AT_ONCE, count)) for at in range(0, count, AT_ONCE)]
        metafunc.parametrize("seeds", chunks, ids=[f"{c.start}-{c.stop - 1}" for c in chunks])


class _Together(LoadScopeScheduling):
    """Every test by itself, but those of some folders, which begin first. (The mark `xdist_group` has no effect under pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    return _Together(config, log) if config.getvalue("dist") == "load" else None
