"""Hot-spots' door: where do independent sources speak of the same place?"""

from services.hotspots.api import routers
from services.hotspots.model import HOTSPOT, WATCHED
from services.hotspots.reactions import Watcher
from shared.kernel.service import Service, Task

SERVICE = Service(
    name="hotspots",
    aggregates=(HOTSPOT, WATCHED),
    own=Watcher,
    api=routers,
    reactions=lambda ctx: () if ctx.settings.streams else [ctx.own.reaction()],
    tasks=lambda ctx: [Task("hotspots stream", "reactions", ctx.own.stream, each=True)] if ctx.settings.streams else (),
    unready=lambda ctx: ctx.own.watch.unready if ctx.settings.streams else (),
)
