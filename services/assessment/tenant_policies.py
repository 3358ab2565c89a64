"""Which policy a tenant is rated by: its own, set by its admin, or the one that the system was started with. Pure but for the loading."""

from datetime import datetime
from pathlib import Path

import msgspec

from services.assessment.policy import STANDARD, Policy, load
from shared.errors import DuewatchError, Invalid
from shared.events.envelope import Payload, event
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Decided, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.store.port import Stored


@event("policy.changed.v1", None)
class PolicyChanged(Payload, frozen=True, kw_only=True):
    """A tenant's policy, as text, so that every rating can be done again."""

    version: str
    text: str
    reason: str


class SetPolicy(msgspec.Struct, frozen=True):
    """The text has been validated."""

    text: str
    version: str
    reason: str


class TenantPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's own policy. `command`: what set it, from which the id of the event that told of it follows."""

    text: str
    version: str
    set_by: str
    set_at: datetime
    command: str = ""


def _decide(state: TenantPolicy | None, message: Message, now: datetime) -> Decided[TenantPolicy] | None:
    body = message.body
    assert isinstance(body, SetPolicy)
    if state is not None and state.version == body.version:
        return None
    new = TenantPolicy(text=body.text, version=body.version, set_by=message.cause.actor, set_at=now, command=message.cause.id)
    return Decided(new, [PolicyChanged(version=body.version, text=body.text, reason=body.reason)])


POLICY = Aggregate(kind="policy", state=TenantPolicy, decide=_decide)


def of_file(name: str) -> tuple[str, Policy]:
    """The policy in the file that DUEWATCH_POLICY names, "" for the standard one, and its text. Invalid or OSError where it is none."""
    try:
        text = (Path(name) if name else STANDARD).read_text(encoding="utf-8")
        return text, load(text)
    except UnicodeDecodeError:
        raise Invalid("DUEWATCH_POLICY: a policy is YAML in UTF-8") from None
    except DuewatchError as wrong:
        raise Invalid(f"DUEWATCH_POLICY: {wrong.detail}", errors=wrong.errors) from None


class Policies:
    """The policies of one process; `refresh` reads the tenants' own anew."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.shipped_text, self.shipped = of_file(ctx.settings.policy)
        self.tenants: dict[str, Policy] = {}
        self._told: dict[str, str] = {}

    async def refresh(self) -> None:
        """As they stand in the store."""
        found, told = {}, {}
        async for stored in self._ctx.stores["assessment"].documents("policy"):
            d = document(POLICY, stored)
            known = self.tenants.get(d.tenant)
            found[d.tenant] = known if known and known.version == d.state.version else load(d.state.text)
            told[d.tenant] = derive("evt", d.state.command, "policy", d.tenant, d.id, "0")
        self.tenants, self._told = found, told

    def of(self, tenant: str) -> Policy:
        """The tenant's policy."""
        return self.tenants.get(tenant, self.shipped)

    def cause(self, assessment: Stored) -> str:
        """Why it is rated anew by the policy: the event that told of it; for the shipped one, of which no event tells, an id for this one time."""
        tenant = assessment.tenant
        return self._told.get(tenant) or derive("policy", self.shipped.version, tenant, assessment.id, str(assessment.version))
