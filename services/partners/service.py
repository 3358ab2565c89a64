"""Partners' door: telling those who must know, by webhook and by feed."""

from collections.abc import Sequence

from services.partners import replays
from services.partners.api import routers
from services.partners.delivery import DELIVERY
from services.partners.model import FEED, SIGHTING, SUBSCRIPTION
from services.partners.reactions import reactions
from services.partners.sender import Sender
from shared.kernel.service import Context, Service, Task
from shared.security.client import GuardedClient


def tasks(ctx: Context) -> Sequence[Task]:
    """The webhook sender, and replays."""

    async def send() -> None:
        client = GuardedClient(ctx.networks)
        try:
            await Sender(ctx, client).run()
        finally:
            await client.close()

    async def replay() -> None:
        await replays.run(ctx)

    return [Task("webhooks", "reactions", send), Task("webhook replays", "reactions", replay)]


SERVICE = Service("partners", aggregates=(FEED, SIGHTING, SUBSCRIPTION, DELIVERY), api=routers, reactions=reactions, tasks=tasks)
