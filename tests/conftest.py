"""Option `--seeds N`: how many seeds the simulation runs (200 where it is not given). Here, so that it is known wherever pytest starts.

The fixtures `kafka` and `mongo`, real servers, come from tests/infra.
"""

import pytest

pytest_plugins = ["tests.infra.fixtures"]

AT_ONCE = 10  # seeds a test, so that workers can share them


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=200, help="how many seeds the simulation runs")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        count = metafunc.config.getoption("--seeds", 200)
        chunks = [range(at, min(at + AT_ONCE, count)) for at in range(0, count, AT_ONCE)]
        metafunc.parametrize("seeds", chunks, ids=[f"{c.start}-{c.stop - 1}" for c in chunks])
