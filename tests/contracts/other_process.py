"""What another process does to the same files while a test looks: `python -m tests.contracts.other_process WHAT FOLDER`."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from shared.bus.embedded import EmbeddedBus
from shared.bus.nudge import Nudges
from shared.store.embedded import EmbeddedStore
from shared.store.port import Commit
from tests.contracts.store_behaviour import OTHERS, THINGS, write


async def race(store: EmbeddedStore) -> int:
    """Writes the next version of one document 100 times, against whoever does the same; how often it won."""
    won = 0
    for _ in range(100):
        found = await store.load("thing", [("t", "raced")])
        now = found["t", "raced"].version if found else 0
        won += not await store.commit(Commit([write("raced", now)]))
    return won


async def _other_process(what: str, folder: Path) -> None:
    nudges = Nudges(folder / "run", "other-process")
    store = EmbeddedStore(folder / "onboarding.db", [THINGS, OTHERS])
    bus = EmbeddedBus(folder, nudges, store, 4)
    if what == "fill":
        for at in range(12):
            many = [write(f"f{at}-{i}", state=b"x" * 500, colour="blue", many={"tag": ("x", "y")}) for i in range(1000)]
            await store.commit(Commit(many))
    elif what == "race":
        print(await race(store))
    else:
        for i in range(10):
            await asyncio.sleep(0.03)
            one = write(f"s{i}", kind="other", topic="suppliers", data=str(time.monotonic()).encode())
            await store.commit(Commit([one]))
            await bus.publish(one.rows)
    await bus.close()
    await store.close()
    nudges.close()


def process(what: str, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.contracts.other_process", what, str(folder)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    asyncio.run(_other_process(sys.argv[1], Path(sys.argv[2])))
