"""What the benchmarks print, one JSON object a figure, on stdout and in build/bench.jsonl; and what /proc says of processes."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

_FILE = Path(__file__).parents[2] / "build" / "bench.jsonl"
_TICK, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


_suffix = ContextVar("suffix", default="")
_shown: dict[str, float] = {}


def begin() -> None:
    """A new file."""
    _FILE.parent.mkdir(exist_ok=True)
    _FILE.write_text("")
    _shown.clear()


@contextlib.contextmanager
def named(suffix: str) -> Iterator[None]:
    """What is shown in this block has a name that ends so, and beside it how it stands to the same figure without the suffix, where that was shown."""
    token = _suffix.set(suffix)
    yield
    _suffix.reset(token)


def show(
    figure: str,
    value: float,
    unit: str,
    n: int,
    note: str = "",
    *,
    file: Path = _FILE,
    aim: tuple[Literal["<=", ">="], float] | None = None,
) -> None:
    """One figure; `n`: how many were measured. `aim`: what it must be."""
    name, beside = figure + _suffix.get(), _shown.get(figure)
    _shown[name] = value
    found: dict[str, Any] = {"figure": name, "value": round(value, 2 if value >= 1 else 4), "unit": unit, "n": n, "note": note}
    if name != figure and beside:
        found["of_embedded"] = round(value / beside, 3)
    if aim:
        found |= {"aim": f"{aim[0]} {aim[1]}", "ok": value <= aim[1] if aim[0] == "<=" else value >= aim[1]}
    line = json.dumps(found, ensure_ascii=False)
    print(line, flush=True)
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as kept:
        kept.write(line + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_s(pid: int) -> float:
    """User and system time of all threads of a process."""
    return _ticks(Path(f"/proc/{pid}/stat")) / _TICK


def main_cpu_s(pid: int) -> float:
    """User and system time of a process's first thread."""
    return _ticks(Path(f"/proc/{pid}/task/{pid}/stat")) / _TICK


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def _ticks(stat: Path) -> int:
    """Fields 14 and 15, counted behind the name, which may hold spaces (proc(5))."""
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
