"""Values at the edge, cursors, conditional requests, rates: plain functions."""

import errno
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid, Malformed, PreconditionFailed
from shared.http.checks import check_birth_date, check_country, check_hs, check_percent, check_region, clean_name, clean_text
from shared.http.idempotency import etag, idempotency_key, if_match, request_digest
from shared.http.identifiers import KINDS, check_identifier, issued_in
from shared.http.limits import Limits, Rates, SlowDown
from shared.http.pages import cursor_after, read_cursor
from shared.http.problems import UnexpectedErrors

GOOD: list[tuple[Callable[[str], Any], str, Any]] = [
    (clean_name, "  Näme & Söhne GmbH ", "Näme & Söhne GmbH"), (clean_name, "e\u0301", "é"), (clean_name, "株式会社", "株式会社"),
    (clean_name, "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"), (clean_name, "x" * 500, "x" * 500),
    (clean_name, "شركة\u200f", "شركة\u200f"), (clean_text, " a\n\tb\r\n", "a\n\tb"),
    (check_country, "DE", "DE"), (check_country, "xk", "XK"), (check_country, " cn ", "CN"),
    (check_region, "CN-XJ", "CN-XJ"), (check_region, "gb-eng", "GB-ENG"), (check_region, "FR-75", "FR-75"),
    (check_hs, "52", "52"), (check_hs, "5201", "5201"), (check_hs, "5201001090", "5201001090"),
    (check_percent, "51.0", Decimal("51.0")), (check_percent, "100", Decimal(100)), (check_percent, "0.0001", Decimal("0.0001")),
    (check_birth_date, " 1970-05-12 ", "1970-05-12"), (check_birth_date, "1970-05", "1970-05"), (check_birth_date, "1970", "1970"),
]  # fmt: skip
BAD: list[tuple[Callable[[str], Any], str]] = [
    (clean_name, ""), (clean_name, " \u3000 "), (clean_name, "x" * 501), (clean_name, "a\0b"), (clean_name, "a\tb"),
    (clean_name, "a\nb"), (clean_name, "a\u202eb"), (clean_name, "a\u2067b"), (clean_name, "a\ud800b"), (clean_name, "a\u2028b"),
    (clean_name, "a\x85b"), (clean_text, "a\0"), (clean_text, "\u202d"), (clean_text, "\u200b"),
    (clean_name, "\u200b"), (clean_name, "\u200e\u00ad"), (clean_name, "\u3164"), (clean_name, "\u0301"), (clean_name, "\ue000"), (clean_text, ""), (clean_text, "x" * 10_001),
    (check_country, "ZZ"), (check_country, "DEU"), (check_country, ""), (check_country, "ＤＥ"), (check_country, "UK"),
    (check_region, "XJ"), (check_region, "ZZ-1"), (check_region, "CN-XINJ"), (check_region, "CN-"), (check_region, "CN-XJ\n1"),
    (check_hs, "5"), (check_hs, "520"), (check_hs, "00"), (check_hs, "520100109012"), (check_hs, "٥٢"), (check_hs, "52.01"),
    (check_percent, "250"), (check_percent, "100.01"), (check_percent, "-1"), (check_percent, "NaN"), (check_percent, "1e1"),
    (check_percent, "0.00001"), (check_percent, "١"), (check_percent, "5,1"), (check_percent, ""),
    (check_birth_date, "1970-02-30"), (check_birth_date, "12.05.1970"), (check_birth_date, "70"), (check_birth_date, "1970-5"),
    (check_birth_date, "1970-13"), (check_birth_date, "1066"), (check_birth_date, "١٩٧٠"), (check_birth_date, ""), (check_birth_date, "circa 1970"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "given", "wanted"), GOOD)
def test_good_values(check: Callable[[str], Any], given: str, wanted: Any) -> None:
    assert check(given) == wanted


@pytest.mark.parametrize(("check", "given"), BAD)
def test_bad_values_name_their_field(check: Callable[..., Any], given: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(given, "the_field")
    assert [error["field"] for error in refused.value.errors] == ["the_field"]


def test_a_region_belongs_to_its_country() -> None:
    assert check_region("CN-XJ", country="CN") == "CN-XJ"
    with pytest.raises(Invalid):
        check_region("CN-XJ", country="DE")


@given(st.text(max_size=40))
def test_a_clean_name_is_clean(text: str) -> None:
    try:
        cleaned = clean_name(text)
    except Invalid:
        return
    assert clean_name(cleaned) == cleaned == unicodedata.normalize("NFC", cleaned)
    assert "\0" not in cleaned
    cleaned.encode()


IDENTIFIERS = [
    ("lei", "529900t8bm49aursdo55", None, "529900T8BM49AURSDO55"), ("gln", "400 6381 33393 1", None, "4006381333931"),
    ("duns", "15-048-3782", None, "150483782"), ("vat", "DE 136695976", None, "DE136695976"), ("vat", "136695976", "DE", "DE136695976"),
    ("vat", "094259216", "GR", "EL094259216"), ("vat", "FR40303265045", "DE", "FR40303265045"), ("vat", "GB980780684", "GB", "980780684"),
    ("vat", "GR 094259216", "GR", "EL094259216"), ("vat", "GR094259216", None, "EL094259216"), ("vat", "DE136695976", "CN", "DE136695976"),
    ("vat", "27AAPFU0939F1ZV", "IN", "27AAPFU0939F1ZV"), ("vat", "12-34/5", "XK", "12-34/5"), ("tax", "91-1144442", "US", "911144442"),
    ("tax", "A 1", "KE", "A 1"), ("register", "HRB 1234", "DE", "HRB 1234"), ("register", "2077474-0", "FI", "20774740"),
    ("register", "02345678", "GB", "02345678"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "country", "wanted"),
    [("vat", "ATU13585627", "DE", "AT"), ("vat", "EL094259216", "CN", "GR"), ("vat", "XI980780684", "FR", "GB"), ("vat", "DE136695976", None, "DE"),
     ("vat", "27AAPFU0939F1ZV", "IN", "IN"), ("vat", "ATU13585628", "CN", "CN"), ("lei", "529900T8BM49AURSDO55", None, None)],
)  # fmt: skip
def test_a_vat_number_says_itself_whose_it_is(kind: str, value: str, country: str | None, wanted: str | None) -> None:
    assert issued_in(kind, value, country) == wanted


@pytest.mark.parametrize(("kind", "value", "country", "wanted"), IDENTIFIERS)
def test_identifiers_have_one_form(kind: str, value: str, country: str | None, wanted: str) -> None:
    assert check_identifier(kind, value, country) == wanted
    assert check_identifier(kind, wanted, country) == wanted


@pytest.mark.parametrize(("kind", "value", "country", "field"), [
    ("lei", "529900T8BM49AURSDO00", None, "lei"), ("lei", "", None, "lei"), ("gln", "4006381333932", None, "gln"),
    ("gln", "73513537", None, "gln"), ("duns", "12345678", None, "duns"), ("vat", "DE136695978", "DE", "vat"),
    ("vat", "136695976", None, "vat"), ("vat", "GB980780685", "GB", "vat"), ("tax", "12345", "US", "tax"), ("tax", "1", None, "tax"),
    ("register", "x\u202ey", "KE", "register"), ("register", "=1+1", "KE", "register"), ("register", "x" * 51, "KE", "register"),
    ("passport", "x", "DE", "kind"), ("register", "1", "ZZ", "country"),
])  # fmt: skip
def test_wrong_identifiers(kind: str, value: str, country: str | None, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_identifier(kind, value, country)
    assert [error["field"] for error in refused.value.errors] == [field]


@given(st.sampled_from(KINDS), st.text(max_size=30) | st.from_regex(r"[A-Z]{0,3}[0-9]{5,14}[A-Z]?", fullmatch=True),
       st.sampled_from(["DE", "FR", "ES", "IE", "GB", "AT", "US", "CN", "IN", "TH", "ZA", "FI", "CH", "BR", "MX", None]))  # fmt: skip
def test_any_identifier_is_bounded_text_or_invalid(kind: str, value: str, country: str | None) -> None:
    try:
        found = check_identifier(kind, value, country)
    except Invalid:
        return
    assert 0 < len(found) <= 60
    assert found.isprintable()


@given(st.lists(st.text(max_size=20) | st.integers(-(2**60), 2**60), min_size=1, max_size=3))
def test_a_cursor_gives_its_key_back(key: list[str | int]) -> None:
    assert list(read_cursor(cursor_after(*key), *(type(part) for part in key))) == key


@pytest.mark.parametrize("cursor", ["", "zzmarkerzz", "W10", cursor_after("a") + "=", cursor_after("a") + "A", cursor_after(1),
                                    cursor_after("a", 1), "IiI", "é", "eyJhIjoxfQ", "WyAiYSJd", "W1tbW1tb" * 100])  # fmt: skip
def test_other_cursors_are_forged(cursor: str) -> None:
    with pytest.raises(Malformed):
        read_cursor(cursor, str)


@given(st.text(max_size=50))
def test_any_text_is_no_cursor(text: str) -> None:
    with pytest.raises(Malformed):
        read_cursor(text, str, int, int)


def test_if_match() -> None:
    assert if_match(etag(7)) == 7
    assert if_match(None) is if_match("*") is None
    for stale in ('W/"7"', '"x"', '"07"', '""', '"' + "9" * 30 + '"', '"-1"'):
        with pytest.raises(PreconditionFailed):
            if_match(stale)
    for broken in ("7", '"1", "2"', '"a"b"', "", 'w/"1"', '"é"'):
        with pytest.raises(Malformed):
            if_match(broken)


def test_idempotency_keys() -> None:
    assert idempotency_key("a b~") == "a b~"
    for bad in ("", "x" * 201, "a\n", "é", "a\x7f"):
        with pytest.raises(Malformed):
            idempotency_key(bad)


def test_a_digest_tells_requests_apart() -> None:
    one = request_digest("POST", "/v1/a", b'{"a": 1, "b": 2}')
    assert one == request_digest("POST", "/v1/a", b'{"b":2,"a":1}')
    others = [("PUT", "/v1/a", b'{"a": 1, "b": 2}'), ("POST", "/v1/b", b'{"a": 1, "b": 2}'), ("POST", "/v1/a", b'{"a": 1, "b": "2"}'),
              ("POST", "/v1/a", b""), ("POST", "/v1/a", b"[" * 100_000), ("POST", "/v1/a", b"\xff")]  # fmt: skip
    assert len({one, *(request_digest(*other) for other in others)}) == 7


def test_a_token_bucket() -> None:
    now = 0.0
    rates = Rates(2.0, 3, clock=lambda: now)
    for _ in range(3):
        rates.take("a")
    with pytest.raises(SlowDown) as refused:
        rates.take("a")
    assert (refused.value.status, refused.value.retry_after) == (429, 1)
    rates.take("b")
    now = 0.5
    rates.take("a")
    with pytest.raises(SlowDown):
        rates.take("a")
    now = 1000.0
    for _ in range(3):
        rates.take("a")
    with pytest.raises(SlowDown):
        rates.take("a")


def test_the_longest_prefix_sets_a_body_s_limit() -> None:
    limits = Limits(by_prefix={"/v1/lists": 10, "/v1/lists/x": 20})
    assert [limits.of(path) for path in ("/v1/lists/x/releases", "/v1/lists", "/v1/suppliers")] == [10 * 2, 10, 1_000_000]


async def test_a_full_disk_is_said_and_is_no_bug_of_ours() -> None:
    async def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    transport = httpx.ASGITransport(UnexpectedErrors(full))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/")
    assert (answer.status_code, "the disk is full" in answer.json()["detail"]) == (503, True)
