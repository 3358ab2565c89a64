"""Small releases in OFAC's layout and in a made-up one, and what tests of releases do with them."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.intelligence.lists.records import entry
from services.intelligence.lists.spec import About, Layout, ListFile, ListSpec, Quarantined, Record, Removed
from services.intelligence.releases.loading import Loader
from shared.events.signals import ExposureSignal
from tests.services.harness import Harness

LIST = "us_ofac_sdn"
PATH = f"/v1/lists/{LIST}/releases"
MARK = "zzechomarkzz"


def sdn(names: dict[int, str], remarks: dict[int, str] | None = None) -> bytes:
    """A primary file."""
    nulls, told = ",".join(["-0- "] * 7), remarks or {}
    rows = (f'{uid},"{name}",-0- ,"TEST",{nulls},"{told.get(uid, "-0- ")}"\r\n' for uid, name in names.items())
    return "".join(rows).encode() + b"\x1a"


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def mills(n: int, first: int = 1) -> dict[int, str]:
    """Entries `first` to `first + n - 1`."""
    return {uid: f"MILL NUMBER {uid}" for uid in range(first, first + n)}


async def post(h: Harness, body: bytes, list_id: str = LIST, **headers: str) -> str:
    """Sends a release; its id."""
    answer = await h.client("operator", subject="op").post(f"/v1/lists/{list_id}/releases", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def read(h: Harness, release_id: str, list_id: str = LIST) -> Any:
    """A release as the API shows it."""
    answer = await h.client("analyst").get(f"/v1/lists/{list_id}/releases/{release_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def load(h: Harness, body: bytes, loader: Loader | None = None) -> Any:
    """Sends a release and has it worked on."""
    release_id = await post(h, body)
    await work(loader or Loader(h.ctx))
    return await read(h, release_id)


async def work(loader: Loader) -> None:
    """Until nothing waits."""
    while await loader.step():
        pass


def lines(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The reader of a made-up list, a record a line: `+ uid HS`, `- uid`, `? uid reason`, and what the release says of itself: `@ dated version base`."""
    for n, line in enumerate(files["primary"].read_text().splitlines(), 1):
        mark, uid, rest = (line + "  ").split(" ", 2)
        match mark:
            case "@":
                version, base = rest.split(" ")[:2]
                yield About(dated=None if uid == "-" else uid, version=version or None, base=base or None)
            case "+":
                yield entry(list_id, release_id, uid, ExposureSignal(hs=rest.strip()))
            case "-":
                yield Removed(uid=uid)
            case _:
                yield Quarantined(row=n, uid=uid or None, reason=rest.strip())


MADE_UP = ListSpec(
    id="made_up",
    title="Made up",
    publisher="Nobody",
    layouts=(
        Layout(
            name="lines.txt",
            files=(ListFile(role="primary", name="lines.txt", address="https://example.org/lines.txt"),),
            read=lines,
            recognises=lambda head: head[:1] in (b"@", b"+", b"-", b"?"),
        ),
    ),
)


async def load_made_up(h: Harness, *told: str) -> Any:
    """Sends a release of it, and has it worked on."""
    release_id = await post(h, "\n".join(told).encode(), MADE_UP.id)
    await work(Loader(h.ctx))
    return await read(h, release_id, MADE_UP.id)
