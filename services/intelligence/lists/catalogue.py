"""The lists that can be loaded: another one is one more module here that offers `SPECS`, and its name in `_MODULES`."""

from services.intelligence.lists import (
    eu,
    ofac,
    opensanctions,
    uk,
    un,
    us_bis,
    us_cbp,
    us_csl,
    us_eo13126,
    us_ilab,
    us_ilab_countries,
    us_uflpa,
)
from services.intelligence.lists.spec import ListSpec
from shared.errors import NotFound

_MODULES = (ofac, un, eu, uk, us_csl, us_uflpa, us_cbp, us_ilab, us_ilab_countries, us_eo13126, us_bis, opensanctions)
CATALOGUE: dict[str, ListSpec] = {spec.id: spec for module in _MODULES for spec in module.SPECS}


def find(list_id: str) -> ListSpec:
    """The list's description; `NotFound` for an id without a reader."""
    spec = CATALOGUE.get(list_id)
    if spec is None:
        raise NotFound("No list with this id can be loaded; GET /v1/lists names those that can")
    return spec
