"""Which of Kafka's messages are passed over before anything is made of them, and that nobody would have heard anything in them."""

from decimal import Decimal
from typing import Any

import pytest

from services.hotspots.heard import says_nothing
from services.hotspots.policy import STANDARD, load
from services.hotspots.sightings import learned, places_of, unheard
from shared.events.envelope import PUBLIC, encode
from shared.events.suppliers import Owner, Profile, Site, SourcedGood, SupplierRegistered

PLAIN = Profile(name="Acme", country="DE")
GOOD, SITE, OWNER = (
    SourcedGood(hs="520100", origin="CN"),
    Site(name="Plant", country="CN"),
    Owner(name="Head", kind="organisation", percent=Decimal(60)),
)


def headers(kind: str, tenant: str = "default", sequence: int = 1) -> list[tuple[str, bytes]]:
    named = {"id": "evt_1", "type": f"duewatch.{kind}.v1", "tenant": tenant, "sequence": str(sequence)}
    return [(f"ce_{name}", value.encode()) for name, value in named.items()]


def registered(**profile: Any) -> bytes:
    return encode(SupplierRegistered(profile=Profile(name="Acme", country="DE", **profile)))


@pytest.mark.parametrize(
    ("topic", "partition", "told", "over"),
    [
        ("signals", 0, headers("signal.published"), False),
        ("signals", 1, headers("signal.published"), True),  # it stands in the first, too
        ("signals", 0, headers("signal.published", PUBLIC), True),  # an entry of a list
        ("signals", 0, headers("release.completed"), True),
        ("matches", 1, headers("match.opened"), False),
        ("matches", 1, headers("supplier.screened"), True),
        ("suppliers", 1, headers("supplier.changed"), False),
        ("suppliers", 1, [], False),
    ],
)
def test_by_its_headers(topic: str, partition: int, told: list[tuple[str, bytes]], over: bool) -> None:
    assert says_nothing(topic, partition, told, b"{}") is over


@pytest.mark.parametrize("profile", [{}, {"goods": (GOOD,)}, {"sites": (SITE,)}, {"owners": (OWNER,)}])
def test_of_new_suppliers_those_without_places_and_owners(profile: dict[str, Any]) -> None:
    over = says_nothing("suppliers", 1, headers("supplier.registered"), registered(**profile))
    assert over is not bool(profile)
    if over:
        word = places_of("sup_1", PLAIN, 1, load(STANDARD.read_text()))
        assert learned(unheard("sup_1"), word) == unheard("sup_1")


@pytest.mark.parametrize("value", [None, b"", b"null", b"{", b"[]"])
def test_what_cannot_be_read_is_not_passed_over(value: bytes | None) -> None:
    assert not says_nothing("suppliers", 1, headers("supplier.registered"), value)


def test_a_supplier_that_was_known_before_is_looked_at() -> None:
    assert not says_nothing("suppliers", 1, headers("supplier.registered", sequence=2), registered())
