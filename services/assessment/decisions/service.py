"""The gate's door: decisions in a file of their own, read from what assessment has rated."""

from services.assessment.decisions.api import hot, routers
from services.assessment.decisions.gate import Gate
from services.assessment.decisions.model import DECISIONS, OVERRIDE
from shared.kernel.service import Service, Task

SERVICE = Service(
    name="gate",
    aggregates=(DECISIONS, OVERRIDE),
    own=Gate,
    api=routers,
    hot=hot,
    tasks=lambda ctx: [Task("gate policies", "api", ctx.own.follow_policies, each=True)],
)
