"""From the version in force to the newest by the changes that its publisher tells, each step a release of its own; else by all of it."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import msgspec

from services.intelligence.fetching.fetch import Round, packed
from services.intelligence.lists.opensanctions_versions import Delta, delta_index, plan
from services.intelligence.lists.spec import ListFile

MOST_STEPS = 10  # as many releases may wait beside others; further back, all of it is less work, too


class Step(NamedTuple):
    """One release: the version that it leads to, and its file."""

    version: str
    whole: Path


async def steps(fetching: Round, index: ListFile, in_force: str) -> list[Step] | None:
    """In order, none where the version in force is the newest; None where all of the list must be fetched."""
    if not in_force or not index.address:
        return None
    work = fetching.work
    await fetching.small(index.address, work / "index")
    newest, address = delta_index(await asyncio.to_thread((work / "index").read_bytes))
    if newest == in_force:
        return []
    if not address:
        return None
    await fetching.small(address, work / "deltas")
    found = plan(await asyncio.to_thread((work / "deltas").read_bytes), in_force)
    if found.full or not 0 < len(found.deltas) <= MOST_STEPS:
        return None
    return [await _step(fetching, n, delta) for n, delta in enumerate(found.deltas)]


async def _step(fetching: Round, n: int, delta: Delta) -> Step:
    folder = fetching.work / f"step-{n}"
    folder.mkdir()
    await fetching.file(delta.address, folder / "entities.delta.json")
    (folder / "version.json").write_bytes(msgspec.json.encode({"version": delta.version, "base": delta.base}))
    return Step(delta.version, await asyncio.to_thread(packed, folder, ["entities.delta.json", "version.json"]))
