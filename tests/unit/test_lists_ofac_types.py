"""OFAC's CSV: what a row's type and flag may be, and what becomes of others."""

from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.spec import Quarantined
from tests.unit.lists_reading import read_sent

SPEC = catalogue.find("us_ofac_sdn")
FILL = "".join(f'{1000 + n},"SOUND MILLS {n}",-0- ,"TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n' for n in range(40))


@pytest.mark.parametrize(
    ("word", "schema"),
    [("-0- ", "organisation"), ('"Entity"', "organisation"), ('"individual"', "person"), ('"VESSEL"', "vessel"), ("aircraft", "aircraft")],
)
def test_types(tmp_path: Path, word: str, schema: str) -> None:
    reading = read_sent(SPEC, f'{FILL}7,"GULL",{word},"TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'.encode(), tmp_path)
    assert getattr(reading.entries[-1].signal.subject, "schema", None) == schema


def test_a_type_that_is_not_known_is_no_organisation(tmp_path: Path) -> None:
    reading = read_sent(SPEC, f'{FILL}7,"GULL","satellite","TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'.encode(), tmp_path)
    assert reading.quarantined == [Quarantined(row=41, reason="its type is none that is known", uid="7")]


@pytest.mark.parametrize(("flag", "told"), [("Panama", ""), ("Yugoslavia", "Flag Yugoslavia")])
def test_a_flag_that_is_no_country_of_today_is_told(tmp_path: Path, flag: str, told: str) -> None:
    reading = read_sent(SPEC, f'{FILL}7,"GULL","vessel","TEST",-0- ,-0- ,-0- ,-0- ,-0- ,"{flag}",-0- ,-0- \r\n'.encode(), tmp_path)
    assert reading.entries[-1].signal.remarks == told
