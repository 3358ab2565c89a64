"""Intelligence's door: what does the world know?"""

from services.intelligence.fetching.api import routers as fetching_routers
from services.intelligence.fetching.model import SCHEDULE
from services.intelligence.fetching.schedule import Fetching
from services.intelligence.findings.api import routers as finding_routers
from services.intelligence.findings.model import FINDING
from services.intelligence.findings.reports import REPORT, REPORTER_KEY
from services.intelligence.own.api import routers as own_routers
from services.intelligence.own.model import OWN_LIST
from services.intelligence.releases.api import routers as release_routers
from services.intelligence.releases.loading import Loader
from services.intelligence.releases.model import ENTRY, MARKER, RELEASE
from shared.kernel.service import Service, Task

SERVICE = Service(
    name="intelligence",
    aggregates=(RELEASE, MARKER, ENTRY, OWN_LIST, SCHEDULE, REPORT, REPORTER_KEY, FINDING),
    api=lambda ctx: [*own_routers(ctx), *fetching_routers(ctx), *release_routers(ctx), *finding_routers(ctx)],
    tasks=lambda ctx: [Task("releases", "bulk", Loader(ctx).run), Task("list fetching", "bulk", Fetching(ctx).run)],
)
