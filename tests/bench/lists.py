"""`make bench-lists`: how fast official lists load and how much memory that takes, one JSON object a figure; also in build/bench-lists.jsonl.

Every load is a process of its own over the same data, so that its peak of memory is its own; it reads, compares, publishes and commits as the
system does, on the embedded runtime, without the sweeps that follow. Files are made up, in the publishers' layouts.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from services.intelligence.lists import catalogue
from services.intelligence.releases import raw
from services.intelligence.releases.loading import Loader
from services.intelligence.releases.model import RELEASE, Receive
from services.intelligence.service import SERVICE
from shared.events.envelope import PUBLIC
from shared.kernel.aggregate import Cause, Item, Message
from tests.bench import figures, list_files
from tests.services.harness import harness

FILE = Path(__file__).parents[2] / "build" / "bench-lists.jsonl"
_CHANGED = 100
_BLOCK = 1 << 20


def main() -> None:
    """All figures of the lists that the catalogue has."""
    options = argparse.ArgumentParser(prog="python -m tests.bench.lists", description=__doc__)
    options.add_argument("--ofac", type=int, default=18_000, help="entries; as many as in 2025")
    options.add_argument("--un", type=int, default=1_000, help="entries; as many as in 2026")
    options.add_argument("--ftm", type=int, default=1_000_000, help="entities")
    options.add_argument("--xml-mb", type=int, default=200, help="of a large file in the UN's layout")
    options.add_argument("--load", nargs=3, metavar=("LIST", "FILE", "DATA"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.load:
        list_id, file, data = chosen.load
        print(json.dumps(asyncio.run(_load(list_id, Path(file), Path(data)))))
        return
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if "us_ofac_sdn" in catalogue.CATALOGUE:
            _figures("ofac", "us_ofac_sdn", list_files.ofac(work / "ofac.zip", chosen.ofac), chosen.ofac, work)
        if "un_sc" in catalogue.CATALOGUE:
            _figures("un", "un_sc", list_files.un(work / "un.xml", chosen.un), chosen.un, work)
            many = chosen.xml_mb * 1_000_000 // (list_files.un(work / "one.xml", 1_000).stat().st_size // 1_000 + 1)
            _figures("xml", "un_sc", list_files.un(work / "large.xml", many), many, work)
        if "opensanctions" in catalogue.CATALOGUE:
            data = _figures("ftm", "opensanctions", list_files.ftm(work / "ftm.zip", chosen.ftm), chosen.ftm, work)
            told = _in_process("opensanctions", list_files.delta(work / "delta.json", _CHANGED), data, modified=_CHANGED)
            _show("delta_100_s", told["seconds"], "s", _CHANGED, f"a delta upon {chosen.ftm} entries")
            _show("delta_100_peak_mb", told["peak_mb"], "MB", _CHANGED)


def _figures(name: str, list_id: str, file: Path, entries: int, work: Path) -> Path:
    """The first load of a list, and the same release once more; the data behind them."""
    data = work / f"data-{name}"
    data.mkdir()
    size = sum(size for _, size in list_files.sizes(file))
    first = _in_process(list_id, file, data, added=entries)
    _show(f"{name}_entries_per_s", entries / first["seconds"], "entries/s", entries, f"{size / 1e6:.0f} MB, all of them new")
    _show(f"{name}_load_s", first["seconds"], "s", entries)
    _show(f"{name}_peak_mb", first["peak_mb"], "MB", entries, f"of the whole process, {first['before_mb']} MB of it before the load")
    again = _in_process(list_id, file, data)
    _show(f"{name}_unchanged_s", again["seconds"], "s", entries, "the same release again, by a process that must look up what is in force")
    _show(f"{name}_unchanged_peak_mb", again["peak_mb"], "MB", entries)
    return data


def _show(figure: str, value: float, unit: str, n: int, note: str = "") -> None:
    figures.show(figure, value, unit, n, note, file=FILE)


def _in_process(list_id: str, file: Path, data: Path, **changes: int) -> dict[str, Any]:
    """One load in a process of its own, which must have changed just that."""
    asked = [sys.executable, "-m", "tests.bench.lists", "--load", list_id, str(file), str(data)]
    told: dict[str, Any] = json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE, env=dict(os.environ)).stdout)
    wanted = {"state": "accepted" if changes else "unchanged", "added": 0, "modified": 0, "deleted": 0} | changes
    if {name: told[name] for name in wanted} != wanted:
        raise SystemExit(f"The load of {file.name} did something else: {told}")
    return told


async def _load(list_id: str, file: Path, data: Path) -> dict[str, Any]:
    async with harness(data, SERVICE) as h:
        before = _peak_mb()
        id_ = h.ctx.ids.new("rel")
        began = time.perf_counter()
        got = await raw.receive(h.ctx, _blocks(file))
        message = Message(Receive(list_id, got.digest, got.size, "upload"), Cause(id_, "bench", id_, "bench"))
        await h.ctx.kernel.execute(Item(RELEASE, PUBLIC, id_, message))
        await Loader(h.ctx).step()
        seconds = time.perf_counter() - began
        found = await h.ctx.kernel.get(RELEASE, PUBLIC, id_)
        assert found is not None
        counts = found.state.counts
        return {
            "state": found.state.state, "reason": found.state.reason, "added": counts.added, "modified": counts.modified, "deleted": counts.deleted,
            "seconds": seconds, "peak_mb": _peak_mb(), "before_mb": before,
        }  # fmt: skip


async def _blocks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            yield block


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024


if __name__ == "__main__":
    main()
