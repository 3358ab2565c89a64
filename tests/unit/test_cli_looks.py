"""How answers look: colours never come from data, ids stay whole, chains read as a tree."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from services.cli import laws, suppliers, why
from services.cli.show import clean, fields, page, reasons, table, text, when


def look(shown: RenderableType, width: int = 200) -> str:
    """As a terminal of that width shows it, without colours."""
    console = Console(file=StringIO(), width=width, markup=False, emoji=False, highlight=False)
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined]  # the file is ours


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "bell\x07", "\x9b2J", "a\u202eb", "line\nline", "\udc80"])
def test_what_others_wrote_cannot_steer_the_terminal(hostile: str) -> None:
    for shown in (table([{"name": hostile}], {"name": "name"}), fields({"name": hostile})):
        told = look(shown)
        assert not set(told) & set("\x1b\x07\x9b\u202e\udc80")
        assert "line line" in told or "�" in told


def test_markup_in_a_name_is_only_text() -> None:
    assert "[red]Evil[/red] :smile: [link=x]" in look(table([{"name": "[red]Evil[/red] :smile: [link=x]"}], {"name": "name"}))


def test_names_in_any_script_stay() -> None:
    assert clean("Общество «Ромашка» 株式会社 شركة") == "Общество «Ромашка» 株式会社 شركة"


def test_ids_stay_whole_however_narrow_the_terminal() -> None:
    rows = [{"id": f"mat_{i:026}", "of": f"sup_{i:026}", "name": "A rather long name of a company Ltd"} for i in range(3)]
    columns = {"match": "id", "supplier": "of", "name": "name"}
    for width in (40, 60, 100, 200):
        told = look(table(rows, columns), width)
        assert all(row["id"] in told and row["of"] in told for row in rows), width
    assert len(look(table(rows, columns), 200).splitlines()) < len(look(table(rows, columns), 40).splitlines())


def test_an_empty_page_says_so_and_a_full_one_how_to_go_on() -> None:
    columns = {"id": "id"}
    assert look(page({"items": [], "next": None}, columns, empty="No matches.")) == "No matches.\n"
    assert "--cursor abc" in look(page({"items": [{"id": "1"}], "next": "abc"}, columns))
    assert "--cursor" not in look(page({"items": [{"id": "1"}], "next": None}, columns))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "–"),
        ([], "–"),
        ("", "–"),
        (0, "0"),
        (1234567, "1,234,567"),
        (0.9, "0.90"),
        (True, "yes"),
        (["a", "b"], "a, b"),
        ("on_hold", "on hold"),
    ],
)
def test_values_as_cells(value: object, told: str) -> None:
    assert text(value).plain == told


def test_snake_case_that_means_nothing_to_us_stays() -> None:
    assert text("us_ofac_sdn").plain == "us_ofac_sdn"


def test_times_to_the_second_and_other_text_as_it_is() -> None:
    assert when("2026-01-02T03:04:05.678901Z") == "2026-01-02 03:04:05Z"
    assert when(None) == ""
    assert when("soon") == "soon"


def test_the_matchers_reasons_in_one_line() -> None:
    whys = [
        {"kind": "exact", "a": "acme", "b": "acme", "score": 1.0},
        {"kind": "fuzzy", "a": "tradng", "b": "trading", "score": 0.5},
        {"kind": "form_missing", "a": "ltd"},
        {"kind": "missing", "b": "holding", "score": -0.4},
    ]
    assert reasons(whys) == "acme, tradng ~ trading; not in both: ltd, holding"
    assert reasons([{"kind": "exact", "asked": "acme", "found": "acme"}]) == "acme"  # as the API calls the two sides
    assert reasons([{"kind": "of_tomorrow", "a": "x", "b": "y"}]) == "of_tomorrow"


def link(service: str, summary: str, **data: Any) -> dict[str, Any]:
    return {"service": service, "type": "t", "id": f"evt_{service}", "time": "2026-01-02T03:04:05Z", "summary": summary, "data": data}


def test_why_reads_from_the_decision_down_to_the_entry() -> None:
    chain = [
        link("gate", "The gate answered block", decision="block"),
        link("assessment", "Rated prohibited", tier="prohibited"),
        link("intelligence", "ACME stands on list us_x", list="us_x", uid="36", release_id="rel_1"),
    ]
    other = {"code": "c", "text": "Another reason", "points": 0.1, "leads_to": link("intelligence", "A finding", finding_id="fnd_1")}
    told = look(why._tree({"chain": chain, "others": [other]}))
    places = [told.index(part) for part in ("answered block", "Rated prohibited", "ACME stands", "list us_x, entry 36, release rel_1")]
    assert places == sorted(places)
    indents = [next(line for line in told.splitlines() if part in line).index(part) for part in ("The gate", "Rated", "ACME")]
    assert indents == sorted(set(indents))
    assert "Another reason" in told
    assert "finding fnd_1" in told
    assert "override" not in told


def test_why_of_a_decision_without_more_to_tell() -> None:
    assert "The gate answered review" in look(why._tree({"chain": [link("gate", "The gate answered review")], "others": []}))


def test_why_shows_through_whom_a_share_is_held() -> None:
    listed = {"id": "sig", "name": "ACME", "source": {"kind": "list_entry", "list": "us_x", "uid": "36"}}
    steps = [{"name": "Alpha [b]Holding[/b]", "percent": "60", "supplier_id": "sup_2"}, {"name": "Be\x1bta"}]
    held = {
        "code": "blocked_share",
        "text": "Blocked owners hold 60 %",
        "points": 0.9,
        "chain": [],
        "paths": [{"steps": steps, "signal": listed}],
    }
    cut = {"code": "owner_share_unknown", "text": "Find out", "points": 0.6, "chain": [], "paths": [{"steps": steps[:1]}]}
    rating = {"supplier_id": "sup_1", "tier": "prohibited", "score": 0.9, "policy_version": "p", "as_of": "2025-01-01T00:00:00Z"}
    told = look(why._tree(why._of_rating({**rating, "drivers": [held, cut]})))
    assert "Alpha [b]Holding[/b] 60 % ← Be\ufffdta ? %: ACME on list us_x" in told
    assert "Alpha [b]Holding[/b] 60 %: followed no further" in told
    decided = link("assessment", "Rated", driver={"code": "blocked_share", "paths": held["paths"]})
    assert "ACME on list us_x" in look(why._tree({"chain": [link("gate", "blocked"), decided], "others": []}))


def test_what_laws_ask_stands_beside_the_driver_in_why_and_in_the_rating() -> None:
    duty = {"id": "us_uflpa.presumption", "text": "UFLPA: Rebut the presumption"}
    driver = {"text": "A sourced good is in CN-XJ", "points": 0.6, "chain": [], "obligations": [duty]}
    body = {
        "supplier_id": "sup_1", "tier": "high", "score": 0.6, "policy_version": "standard-1", "as_of": "2026-01-02T03:04:05Z",
        "drivers": [driver, driver], "obligations": [], "legal_obligations": [{**duty, "drivers": ["region"]}],
    }  # fmt: skip
    told = look(why._tree(why._of_rating(body)))
    assert told.count("by law: UFLPA: Rebut the presumption (us_uflpa.presumption)") == 1
    assert told.count("by law: us_uflpa.presumption") == 1  # of a further driver
    rating = look(suppliers._rating(body))
    assert "by law, where it binds you" in rating
    assert "laws us_uflpa" in rating


def test_a_law_says_whether_its_own_words_were_read() -> None:
    body = {
        "id": "no_law", "name": "A Law", "jurisdiction": "NO", "reference": "s. 1", "applies_from": "2022-07-01", "binds": "Larger ones",
        "source": "https://example.org", "checked": "2026-11-28", "verified": None, "read": "a summary",
        "retention": {"period": "P7Y", "starts": "the document", "rule": "s. 10"},
        "duties": [{"id": "no_law.answer", "text": "Answer", "due": "within 3 weeks, from the request"}],
    }  # fmt: skip
    told = look(laws._law(body))
    assert "unverified, looked for on 2026-11-28" in told
    assert "P7Y from the document (s. 10)" in told
    assert "within 3 weeks, from the request" in told
    assert "unverified" not in look(laws._law({**body, "verified": "2026-11-28"}))
