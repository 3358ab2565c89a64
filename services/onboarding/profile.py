"""What must hold of a profile as a whole, whichever way it came. Single values were checked at the edge."""

from decimal import Decimal

import msgspec

from shared.errors import Invalid
from shared.events.suppliers import Profile

# Every event carries the whole profile, so each of its lists ends somewhere.
MOST = {
    "external_refs": 50,
    "other_names": 100,
    "identifiers": 50,
    "addresses": 50,
    "sites": 500,
    "owners": 200,
    "upstream": 500,
    "goods": 1000,
}
MOST_ACKNOWLEDGEMENTS = 500


def checked(profile: Profile, supplier_id: str) -> Profile:
    """The profile without repetitions; Invalid, with all fields at fault, where it contradicts itself."""
    faults: list[dict[str, str]] = []
    singled = {}
    for field, most in MOST.items():
        values = getattr(profile, field)
        if len(values) > 1:
            unique = tuple(dict.fromkeys(values))
            if len(unique) < len(values):
                singled[field] = values = unique
            if len(values) > most:
                faults.append({"field": field, "message": f"At most {most}"})
    if profile.owners:
        if sum((o.percent for o in profile.owners if o.percent is not None), Decimal(0)) > 100:
            faults.append({"field": "owners", "message": "The owners' percentages add up to at most 100"})
        if any(o.supplier_id == supplier_id for o in profile.owners):
            faults.append({"field": "owners", "message": "A supplier is not its own owner"})
        if any(o.birth_date and o.kind != "person" for o in profile.owners):
            faults.append({"field": "owners", "message": "Only a person has a date of birth"})
    if profile.upstream and any(u.supplier_id == supplier_id for u in profile.upstream):
        faults.append({"field": "upstream", "message": "A supplier is not upstream of itself"})
    if faults:
        raise Invalid("The supplier's data contradict each other or are too many", errors=faults)
    return msgspec.structs.replace(profile, **singled) if singled else profile
