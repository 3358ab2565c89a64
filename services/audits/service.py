"""Audits: looking closer. A for-cause audit is opened by a rating, and what it finds feeds the next one."""

from services.audits.api import routers
from services.audits.model import AUDITS
from services.audits.reactions import reactions
from shared.kernel.service import Service

SERVICE = Service("audits", aggregates=(AUDITS,), api=routers, reactions=reactions)
