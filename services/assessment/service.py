"""Assessment's door: how serious is it, and may we buy?"""

from services.assessment.api import routers
from services.assessment.list_ages import LIST_AGE
from services.assessment.model import ASSESSMENT
from services.assessment.reactions import Assessor
from services.assessment.tenant_policies import POLICY
from shared.kernel.service import Service

SERVICE = Service(
    name="assessment",
    aggregates=(ASSESSMENT, POLICY, LIST_AGE),
    own=Assessor,
    api=routers,
    reactions=lambda ctx: [ctx.own.reaction()],
    tasks=lambda ctx: ctx.own.tasks(),
)
