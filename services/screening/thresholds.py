"""From which score a match is opened, and from which it is strong: the same for all, but for tenants that have set an alert budget of their own."""

import msgspec

from services.screening.matching.asking import Hit


class Thresholds(msgspec.Struct, frozen=True):
    """`version` of a tenant's settings; 0 where it has none."""

    review: float
    strong: float
    version: int = 0

    def strong_by(self, hit: Hit) -> bool:
        """Does it block before a person has looked? Only the same name does, in another order or legal form, or the same number: however likely one slip
        is, a purchase is not stopped by it alone."""
        return hit.score >= self.strong and hit.certain


class TenantThresholds:
    """Everybody's thresholds; `tenants` are those of their own."""

    def __init__(self, shipped: Thresholds) -> None:
        self.shipped = shipped
        self.tenants: dict[str, Thresholds] = {}

    def of(self, tenant: str) -> Thresholds:
        """A tenant's."""
        return self.tenants.get(tenant, self.shipped)

    def by(self, review: float | None, version: int = 0) -> Thresholds:
        """Of a tenant that has set `review`; None: as shipped. What nobody reviews cannot be strong, so a higher one takes the other with it."""
        least = self.shipped.review if review is None else review
        return Thresholds(least, max(least, self.shipped.strong), version)

    @property
    def lowest(self) -> float:
        """What a search for all tenants begins at."""
        return min([self.shipped.review, *(one.review for one in self.tenants.values())])
