"""Remediation: putting it right. A finding opens a case, which stays open until somebody independent says that it is put right."""

from services.remediation.api import routers
from services.remediation.model import CASES
from services.remediation.reactions import reactions
from services.remediation.referral import REFERRALS
from shared.kernel.service import Service

SERVICE = Service("remediation", aggregates=(CASES, REFERRALS), api=routers, reactions=reactions)
