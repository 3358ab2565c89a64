"""`duewatch serve`: one service in a process of its own, on Kafka and MongoDB; or the gateway in front of all of them."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping
from typing import Literal

import uvicorn
import uvloop

from services.assessment.tenant_policies import of_file
from services.hotspots.policy import of_file as hotspot_policy_of
from services.intelligence.fetching.sources import of_file as sources_of
from services.runtime.embedded import admin_token
from services.runtime.front import server, service_app, tokens_of
from services.runtime.gateway import Gateway, gateway_app
from services.runtime.housekeeping import keep_house
from services.runtime.logs import set_up_logging
from services.runtime.metrics import measure
from services.runtime.node import Node, tune
from services.runtime.processes import MODULES, READS, load
from services.runtime.signing import HeadSigner
from shared.errors import Invalid
from shared.kernel.service import Role
from shared.security.addresses import parse_networks
from shared.settings import Settings
from shared.telemetry import tracing

Only = Literal["api", "reactions"]
Say = Callable[[str], None]
_WATCH_S = 2.0
_ROLES: Mapping[Only | None, tuple[Role, ...]] = {None: ("api", "reactions", "bulk"), "api": ("api",), "reactions": ("reactions", "bulk")}


def serve(settings: Settings, name: str, only: Only | None, say: Say) -> None:
    """Runs until told to end. `only`: the API, or what a service does by itself; the HTTP server answers for its health either way."""
    if not settings.distributed:
        raise Invalid(
            "One process a service needs the distributed runtime: set DUEWATCH_BUS and DUEWATCH_STORE. The embedded one runs all of them by `duewatch up`",
            errors=[{"field": "bus", "message": "kafka://host:port"}, {"field": "store", "message": "mongodb://host:port"}],
        )
    if name != "gateway" and name not in MODULES:
        raise Invalid(
            f"There is no such service; there are {', '.join(MODULES)} and gateway", errors=[{"field": "service", "message": "unknown"}]
        )
    parse_networks(settings.egress_allow)
    if settings.policy:
        of_file(settings.policy)
    hotspot_policy_of(settings.hotspot_policy)
    sources_of(settings.lists)
    os.umask(0o077)
    set_up_logging(name)
    tracing.set_up(name)
    tune()
    uvloop.run(_gateway(settings, say) if name == "gateway" else _service(settings, name, _ROLES[only], say))
    tracing.end()


async def _service(settings: Settings, name: str, roles: tuple[Role, ...], say: Say) -> None:
    node = Node(settings, load([name, *READS.get(name, ())]), f"{name}-{os.getpid()}")
    service, unready = next(s for s in node.services if s.name == name), [name]

    def missing() -> list[str]:
        return [*unready, *(service.unready(node.contexts[name]) if "reactions" in roles else ())]

    async with asyncio.TaskGroup() as group:
        http = server(service_app(node, name, missing, inner="reactions" in roles), host=settings.host, port=settings.port)
        serving = _serving(group, http)
        tasks = await node.start(group, [name], roles)
        if "reactions" in roles:
            tasks.append(group.create_task(measure([node.stores[name]]), name="measures"))
            tasks.append(group.create_task(keep_house(node, HeadSigner(settings.data / "keys"), [name]), name="housekeeping"))
        gc.collect()
        gc.freeze()
        tasks.append(group.create_task(_watch(node, http, unready), name="readiness"))
        say(f"{name} is ready at http://{settings.host}:{settings.port}")
        await serving
        for task in tasks:
            task.cancel()
    await node.close()


async def _watch(node: Node, http: uvicorn.Server, unready: list[str]) -> None:
    """For ever: is what the service needs there, and do its reactions move? One that is told to end takes no more work, and says so."""
    while True:
        missing = await node.backend.missing()
        unready[:] = ["ending"] if http.should_exit else [*missing, *(f"lag of {group}" for group in node.lag.stalled)]
        await asyncio.sleep(_WATCH_S)


async def _gateway(settings: Settings, say: Say) -> None:
    targets = addresses(settings.services)
    node = Node(settings, load(MODULES), f"gateway-{os.getpid()}")
    gateway, tokens = Gateway(targets), tokens_of(settings)
    token = admin_token(settings.data, tokens)
    unready: list[str] = list(targets)
    async with asyncio.TaskGroup() as group:
        http = server(gateway_app(node, tokens, lambda: unready, gateway), host=settings.host, port=settings.port)
        serving = _serving(group, http)
        watching = group.create_task(gateway.watch(unready), name="readiness")
        say(f"The gateway answers at http://{settings.host}:{settings.port}; admin token {token}")
        await serving
        watching.cancel()
    await gateway.close()
    await node.close()


def _serving(group: asyncio.TaskGroup, http: uvicorn.Server) -> asyncio.Task[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(http, "should_exit", True))
    return group.create_task(http.serve(), name="http")


def addresses(text: str) -> dict[str, str]:
    """name -> address, of every service."""
    found = dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)
    missing = [name for name in MODULES if name not in found]
    if missing:
        raise Invalid(
            "The gateway needs the address of every service in DUEWATCH_SERVICES: name=http://host:port, parted by commas",
            errors=[{"field": "services", "message": f"{name} is missing"} for name in missing],
        )
    return {name: found[name].rstrip("/") for name in MODULES}
