"""Countries as publishers write them: one way for the readers of every list."""

import pycountry
import pytest

from services.intelligence.lists.countries import alpha2, beyond_country, country_of
from services.intelligence.lists.parties import address_of
from services.intelligence.lists.party import address
from shared.events.signals import SignalAddress


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("ru", "RU"), ("RUS", "RU"), ("rus", "RU"), ("XK", "XK"), ("xkx", "XK"), ("cn-xz", "CN"), ("UK", "GB"), ("USA", "US"), ("UAE", "AE"), ("PRC", "CN"),
        ("Iran (Islamic Republic of)", "IR"), ("Korea (Democratic People's Republic of)", "KP"), ("Korea (North)", "KP"), ("Viet Nam", "VN"),
        ("Turkey (Türkiye)", "TR"), ("Burma (Myanmar)", "MM"), ("Holy See (Vatican City State)", "VA"), ("Ireland (Northern)", "GB"),
        ("Hong Kong (China)", "HK"), ("China, Hong Kong SAR", "HK"), ("People's Republic of China, Macao", "MO"), ("Xinjiang (China)", "CN"),
        ("Congo", "CG"), ("Congo (Democratic Republic)", "CD"), ("Congo (Democratic Republic of the)", "CD"), ("Congo (Kinshasa)", "CD"),
        ("West Bank and the Gaza Strip", "PS"), ("Occupied Palestinian Territories", "PS"), ("Tanzania,  United Republic of", "TZ"),
    ],
)  # fmt: skip
def test_codes_and_names(word: str, code: str) -> None:
    assert (country_of(word), country_of(f"  {word} ")) == (code, code)


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "(",
        "()",
        "unknown",
        "undetermined",
        "EU",
        "SU",
        "zz",
        "zzz",
        "Korea",
        "Congo (Upper)",
        "Serbia and Montenegro",
        "Kiev (Kyiv)",
        "i" * 101,
        "R-",
        "é-x",
    ],
)
def test_what_names_no_country_of_today(word: str) -> None:
    assert (country_of(word), beyond_country(word)) == (None, word)


def test_every_country_by_every_name_and_code_of_the_standard() -> None:
    for one in pycountry.countries:
        told = [value for field, value in one if field in ("alpha_2", "alpha_3", "name", "official_name", "common_name")]
        assert {country_of(word) for word in told} == {one.alpha_2}


def test_a_code_is_no_name() -> None:
    """Names are looked for among ordinary words, too: `in` is India's code there as little as `and` is Andorra's."""
    assert [alpha2(word) for word in ("in", "and", "RU", "RUS", "per")] == [None] * 5


@pytest.mark.parametrize(
    ("where", "text", "code"),
    [
        ("Xinjiang (China)", "1 Road, Xinjiang (China)", "CN"),
        ("China (Xinjiang)", "1 Road, China (Xinjiang)", "CN"),
        ("Nowhere", "1 Road, Nowhere", None),
        ("IR", "1 Road", "IR"),
        ("Turkey (Türkiye)", "1 Road", "TR"),
        ("Iran (Islamic Republic of)", "1 Road", "IR"),
    ],
)
def test_an_address_keeps_what_its_country_does_not_say(where: str, text: str, code: str | None) -> None:
    assert address("1 Road", where=where) == SignalAddress(text=text, country=code)
    assert address_of(f"1 Road, {where}") == SignalAddress(text=text, country=code)
