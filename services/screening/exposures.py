"""Exposure signals against what suppliers source, where they work and whose they are: a good and its origin, a region, a country, a group.

Never an accusation.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from shared.events.matches import Reason, Strength
from shared.events.signals import Advancement, ExposureSignal
from shared.events.suppliers import Profile


class Exposed(msgspec.Struct, frozen=True):
    """How a supplier is exposed, with the share of certainty: 1 where all that the signal names agrees, less where the supplier says too little.

    `touched`: every good and place that the signal touches, though `why` tells of the strongest only.
    """

    score: float
    strength: Strength
    why: tuple[Reason, ...]
    touched: tuple[str, ...] = ()


_CERTAIN, _PERHAPS = 1.0, 0.7
_HALF = 50  # percent
_GROUP = "group/"
_CODES_TOLD = 4
_RISKY: frozenset[Advancement] = frozenset({"none", "minimal"})


def describe(signal: ExposureSignal) -> str:
    """The exposure in words."""
    if signal.advancement is not None:
        return f"{signal.origin}, where {signal.advancement.replace('_', ' ')} is the advancement in ending child labour"
    codes = " ".join(signal.codes[:_CODES_TOLD]) + (" ..." if len(signal.codes) > _CODES_TOLD else "")
    code = f"HS {codes}" if codes else ""
    parts = [
        signal.good,
        f"({code})" if signal.good and code else code,
        f"from {signal.origin}" if signal.origin else "",
        f"in {signal.region}" if signal.region else "",
        f"of the group of {signal.group}" if signal.group else "",
    ]
    abuses = ", ".join(_ABUSES.get(abuse, abuse.replace("_", " ")) for abuse in signal.abuses)
    return " ".join(p for p in parts if p) + (f": {abuses}" if abuses else "")


_ABUSES = {"derived": "made from goods of child or forced labour"}


def places(profile: Profile) -> set[str]:
    """The countries in which the supplier sources or has sites: where exposures of it can lie."""
    return {g.origin for g in profile.goods} | {s.country for s in profile.sites}


def groups(profile: Profile) -> set[str]:
    """Under which suppliers' heads it stands, as keys beside those of countries."""
    return {f"{_GROUP}{owner.supplier_id}" for owner in profile.owners if owner.supplier_id}


def expose(profile: Profile, signal: ExposureSignal) -> Exposed | None:
    """The strongest way in which a signal touches a supplier; None where none does, as of a good that nobody has given a code, or of a country that is
    well assessed. Whether the signal's interval has begun or ended is for the rating to say, which has a clock."""
    if signal.group is not None:
        return _member(profile, signal.group)
    codes = signal.codes
    if (signal.good and not codes) or (signal.advancement is not None and signal.advancement not in _RISKY):
        return None
    found = [e for good in profile.goods if (e := _good(good.hs, good.origin, good.region, signal))]
    if not codes:
        found += [e for site in profile.sites if (e := _place(site.country, site.region, signal, "site"))]
    if not found:
        return None
    touched = {" ".join(reason.asked for reason in one.why) for one in found}
    return msgspec.structs.replace(max(found, key=lambda e: e.score), touched=tuple(sorted(touched)))


def _member(profile: Profile, head: str) -> Exposed | None:
    """A share that holds no half, or that nobody told, makes it uncertain."""
    shares = [owner.percent for owner in profile.owners if owner.supplier_id == head]
    if not shares:
        return None
    certain = any(share is not None and share >= _HALF for share in shares)
    score = _CERTAIN if certain else _PERHAPS
    why = Reason(kind="group" if certain else "group_share", asked=head, found=head, score=score)
    return Exposed(score, "strong" if certain else "weak", (why,))


def _good(hs: str, origin: str, region: str | None, signal: ExposureSignal) -> Exposed | None:
    """The longest code that a good falls under counts; where it falls under none, the first that is narrower than what the supplier names."""
    codes = signal.codes
    if not codes:
        return _place(origin, region, signal, "origin")
    under = max((code for code in codes if hs.startswith(code)), key=len, default=None)
    within = under if under is not None else min((code for code in codes if code.startswith(hs)), default=None)
    if within is None:
        return None
    place = _place(origin, region, signal, "origin") if signal.origin or signal.region else Exposed(_CERTAIN, "strong", ())
    if place is None:
        return None
    certainty = _CERTAIN if under is not None else _PERHAPS
    score = min(place.score, certainty)
    good = Reason(kind="good" if under is not None else "wider_good", asked=hs, found=within, score=certainty)
    return Exposed(score, "strong" if score == _CERTAIN else "weak", (good, *place.why))


def _place(country: str, region: str | None, signal: ExposureSignal, kind: str) -> Exposed | None:
    origin = signal.origin or (signal.region or "").partition("-")[0]
    if not origin or country != origin:
        return None
    if signal.region is None or region == signal.region:
        asked, found = (region or country), (signal.region or origin)
        return Exposed(_CERTAIN, "strong", (Reason(kind=kind, asked=asked, found=found, score=_CERTAIN),))
    if region is None:
        why = Reason(kind=f"{kind}_region_unknown", asked=country, found=signal.region, score=_PERHAPS)
        return Exposed(_PERHAPS, "weak", (why,))
    return None


class ExposureIndex:
    """Exposure signals and suppliers by country, each to be found from the other side. Keys are the caller's."""

    def __init__(self) -> None:
        self._signals: dict[str, ExposureSignal] = {}
        self._signals_in: dict[str, set[str]] = defaultdict(set)
        self._suppliers: dict[str, Profile] = {}
        self._suppliers_in: dict[str, set[str]] = defaultdict(set)

    def put_signal(self, key: str, signal: ExposureSignal) -> None:
        """Puts a signal in place of what stood under the key."""
        self.remove_signal(key)
        self._signals[key] = signal
        self._signals_in[_country(signal)].add(key)

    def remove_signal(self, key: str) -> None:
        """Takes a signal out, where it is there."""
        old = self._signals.pop(key, None)
        if old is not None:
            self._signals_in[_country(old)].discard(key)

    def put_supplier(self, key: str, profile: Profile) -> None:
        """Puts a supplier in place of what stood under the key; one that sources nothing, has no site and is nobody's costs nothing."""
        self.remove_supplier(key)
        here = places(profile) | groups(profile)
        if here:
            self._suppliers[key] = profile
            for place in (*here, ""):
                self._suppliers_in[place].add(key)

    def remove_supplier(self, key: str) -> None:
        """Takes a supplier out, where it is there."""
        old = self._suppliers.pop(key, None)
        if old is not None:
            for place in (*places(old), *groups(old), ""):
                self._suppliers_in[place].discard(key)

    def suppliers(self) -> Mapping[str, Profile]:
        """Those that an exposure could touch."""
        return self._suppliers

    def of_supplier(self, profile: Profile) -> Iterable[tuple[str, Exposed]]:
        """Signals that touch a supplier."""
        here = places(profile) | groups(profile)
        for place in (*here, "") if here else ():
            for key in sorted(self._signals_in.get(place, ())):
                if exposed := expose(profile, self._signals[key]):
                    yield key, exposed

    def of_signal(self, signal: ExposureSignal) -> Iterable[tuple[str, Exposed]]:
        """Suppliers that a signal touches; a signal without a place may touch any that sources something."""
        for key in sorted(self._suppliers_in.get(_country(signal), ())):
            if exposed := expose(self._suppliers[key], signal):
                yield key, exposed

    def signal(self, key: str) -> ExposureSignal:
        """The signal under a key."""
        return self._signals[key]


def _country(signal: ExposureSignal) -> str:
    return f"{_GROUP}{signal.group}" if signal.group else signal.origin or (signal.region or "").partition("-")[0]
