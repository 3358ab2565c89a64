"""The suppliers' side of the join, as it is kept between two runs: much quicker read than put together again from the log."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from services.screening.matching.index import IndexState
from services.screening.matching.parties import country_set
from services.screening.pairs import Key
from shared.events.envelope import encode
from shared.events.suppliers import Profile

Owner = tuple[str, str | None, str]  # name, percent, country


class Supplier(msgspec.Struct, frozen=True, gc=False):
    """What the join knows of a supplier beside its names."""

    partition: int
    version: int
    country: str
    countries: frozenset[str]
    profile: bytes  # its fingerprint
    owners: tuple[Owner, ...]
    names: tuple[str, ...] = ()  # where it goes by several
    bought: bool = True


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A supplier under its key; sets of countries are shared again when it is read."""

    tenant: str
    id: str
    partition: int
    version: int
    country: str
    countries: tuple[str, ...]
    profile: bytes
    owners: tuple[Owner, ...]
    names: tuple[str, ...]
    bought: bool


class SupplierSide(msgspec.Struct, frozen=True, array_like=True):
    """All suppliers with their names, and the profiles of those that an exposure could touch."""

    suppliers: list[Row]
    names: IndexState
    exposed: Mapping[str, Profile]


def fingerprint(profile: Profile) -> bytes:
    """Two profiles of one fingerprint say the same, in whichever process it was taken."""
    return hashlib.blake2b(encode(profile), digest_size=8).digest()


def supplier_of(
    partition: int, version: int, profile: Profile, countries: Sequence[str], names: Sequence[str] = (), *, bought: bool = True
) -> Supplier:
    """A supplier as its profile tells it; `countries` and `names` are all that it names."""
    several = tuple(dict.fromkeys(names))
    owners = tuple((o.name, str(o.percent) if o.percent is not None else None, o.country or "") for o in profile.owners)
    return Supplier(
        partition, version, profile.country, country_set(tuple(countries)), fingerprint(profile), owners, several if len(several) > 1 else (), bought
    )  # fmt: skip


def rows_of(suppliers: Mapping[Key, Supplier]) -> list[Row]:
    """As they are kept."""
    return [
        Row(*key, s.partition, s.version, s.country, tuple(sorted(s.countries)), s.profile, s.owners, s.names, s.bought)
        for key, s in suppliers.items()
    ]


def suppliers_of(rows: Sequence[Row]) -> Iterator[tuple[Key, Supplier]]:
    """As they were."""
    for r in rows:
        yield (
            (r.tenant, r.id),
            Supplier(r.partition, r.version, r.country, country_set(r.countries), r.profile, r.owners, r.names, r.bought),
        )
