"""`GET /metrics`, without a token like /health: what it tells names no tenant and no person. Keep both from the outside all the same.

Of the embedded runtime the front answers for its workers, too. Each writes its numbers to whoever connects to its socket in the data
folder's `run`, so that a worker needs no HTTP server; the label `process` tells them apart.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from services.runtime.node import Node
from shared.http.auth import PUBLIC, router
from shared.kernel.reactor import TRANSIENT
from shared.store.port import Store
from shared.telemetry import exposition
from shared.telemetry.metrics import DEAD_WAITING, OUTBOX, OUTBOX_STALE

log = logging.getLogger("duewatch.metrics")
Text = Callable[[], Awaitable[bytes]]
_ANSWER_S = 2.0
_MEASURE_EVERY_S = 10.0
_STALE_S = 30.0  # each service looks every two seconds for what is older than two
_MOST_LETTERS = 1_000


def metrics(text: Text) -> APIRouter:
    """The route."""
    routes = router(tag="operations")

    @routes.get("/metrics", dependencies=[PUBLIC], include_in_schema=False)
    async def read() -> Response:
        """In Prometheus' text format."""
        return Response(await text(), media_type=exposition.CONTENT_TYPE)

    return routes


def text_of(node: Node, name: str, workers: Iterable[str] = ()) -> Text:
    """The numbers of this process and of workers that answer; those of one that is just being started again are missing."""
    workers = tuple(workers)

    async def text() -> bytes:
        answers = await asyncio.gather(*(_ask(node.nudges.address(_socket(worker))) for worker in workers))
        return exposition.joined(name, {worker: answer for worker, answer in zip(workers, answers, strict=True) if answer})

    return text


async def _ask(address: str) -> bytes:
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(address)
            try:
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""


def _socket(worker: str) -> str:
    return f"{worker}.metrics"


async def tell(node: Node, worker: str) -> None:
    """For ever: gives this worker's numbers to whoever connects."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(exposition.own())
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, node.nudges.address(_socket(worker)))
    async with server:
        await server.serve_forever()


async def measure(stores: Sequence[Store]) -> None:
    """For ever: what only the stores know."""
    while True:
        for store in stores:
            try:
                OUTBOX.labels(store.name).set(await store.untold())
                OUTBOX_STALE.labels(store.name).set(await store.untold(_STALE_S))
                DEAD_WAITING.labels(store.name).set(len(await store.dead_letters(state="dead", limit=_MOST_LETTERS)))
            except TRANSIENT as error:
                log.info("%s cannot be measured now: %s", store.name, type(error).__name__)
        await asyncio.sleep(_MEASURE_EVERY_S)
