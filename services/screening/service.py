"""Screening's door: whom does the world's news touch?"""

from services.screening.api import ad_hoc, routers
from services.screening.model import MATCH, SCREENING
from services.screening.ranking import tasks
from services.screening.reactions import Worker
from services.screening.rescreening import Rescreening
from services.screening.sweep import SWEEP
from services.screening.tenant_settings import SETTINGS
from shared.kernel.service import Service

SERVICE = Service(
    name="screening",
    aggregates=(MATCH, SCREENING, SWEEP, SETTINGS),
    own=Worker,
    api=routers,
    inner_api=lambda ctx: [ad_hoc(ctx.own)],
    tasks=lambda ctx: [*tasks(ctx), *Rescreening(ctx).tasks()],
    reactions=lambda ctx: [ctx.own.reaction()],
    unready=lambda ctx: ("index",) if ctx.own.rebuilding else (),
)
