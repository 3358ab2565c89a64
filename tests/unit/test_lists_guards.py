"""Releases that must wait for a person."""

from typing import Any

import msgspec
import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.guards import Found, objection
from services.intelligence.lists.spec import Attached

SPEC = catalogue.find("us_ofac_sdn")


def found(entries: int, in_force: int = 0, **told: Any) -> Found:
    return Found(records=entries + told.get("quarantined", 0), entries=entries, in_force=in_force, **told)


def test_an_empty_release_waits() -> None:
    assert objection(SPEC, found(0)) == "The release holds 0 entries; at least 1 are expected"
    unread = objection(SPEC, found(0, quarantined=7))
    assert unread == "The release holds 0 entries; at least 1 are expected; of 7 records 7 could not be read"


@pytest.mark.parametrize(
    ("old", "deleted", "refused"), [(100, 20, False), (100, 21, True), (10, 2, False), (10, 3, True), (0, 0, False), (8976, 515, False)]
)
def test_a_release_that_removes_too_much_waits(old: int, deleted: int, refused: bool) -> None:
    assert (objection(SPEC, found(5000, old, deleted=deleted)) is not None) is refused


def test_an_entry_that_may_stand_in_a_row_that_is_nobodys_is_not_released() -> None:
    told = found(99, 100, deleted=1, nameless=1)
    assert "Of 1 damaged rows" in (objection(SPEC, told) or "")
    assert objection(SPEC, found(100, 100, nameless=1)) is None
    assert objection(SPEC, msgspec.structs.replace(told, delta=True)) is None


def test_the_reason_gives_the_numbers() -> None:
    assert objection(SPEC, found(4488, 8976, deleted=4488)) == (
        "The release holds 4488 entries and removes 4488 of the 8976 in force (50.0%); more than 20.0% must be accepted by a person"
    )


def test_swapping_most_entries_for_others_waits_too() -> None:
    assert objection(SPEC, found(100, 100, deleted=90, added=90)) is not None


@pytest.mark.parametrize(
    ("old", "added", "refused"), [(1000, 1000, False), (1000, 1001, True), (99, 9_000, False), (100, 101, True), (0, 1_000_000, False)]
)
def test_a_release_that_more_than_doubles_the_list_waits(old: int, added: int, refused: bool) -> None:
    reason = objection(SPEC, found(old + added, old, added=added))
    assert (reason is not None) is refused
    assert (
        reason is None or reason == f"The release adds {added} entries to the {old} in force; more than 100.0% must be accepted by a person"
    )


@pytest.mark.parametrize(("old", "modified", "refused"), [(1000, 800, False), (1000, 801, True), (99, 99, False)])
def test_a_release_that_changes_nearly_all_waits_unless_it_is_of_another_layout(old: int, modified: int, refused: bool) -> None:
    told = found(old, old, modified=modified)
    assert (objection(SPEC, told, {}) is not None) is refused
    assert objection(SPEC, told, None) is None


@pytest.mark.parametrize(("read", "unread", "refused"), [(50, 50, False), (49, 51, True), (0, 1, True)])
def test_a_release_of_which_most_cannot_be_read_waits(read: int, unread: int, refused: bool) -> None:
    reason = objection(SPEC, found(read, quarantined=unread))
    assert (reason is not None) is refused


def test_a_file_beside_the_primary_one_that_lost_its_rows_waits() -> None:
    told = found(100, 100, modified=1, attached={"aliases": Attached(role="aliases", rows=79)})
    assert objection(SPEC, told, {"aliases": 100, "addresses": 0}) == (
        "The file of aliases holds 79 rows, that of the release in force 100; a person must accept it"
    )
    for before in ({"aliases": 98}, {}, None):
        assert objection(SPEC, told, before) is None
    assert objection(SPEC, told, {"comments": 5}) is not None
    assert objection(SPEC, msgspec.structs.replace(told, delta=True), {"comments": 5}) is None


def test_damage_beside_the_primary_file_weakens_no_entry() -> None:
    damaged = {"aliases": Attached(role="aliases", rows=100, unread=1)}
    assert "cannot be read" in (objection(SPEC, found(100, 100, modified=1, attached=damaged), {}) or "")
    assert objection(SPEC, found(100, 100, attached=damaged), {}) is None


def test_each_list_has_its_own_bounds() -> None:
    spec = msgspec.structs.replace(SPEC, minimum_entries=50, max_growth_share=5.0, max_change_share=1.0, max_quarantined_share=0.0)
    assert objection(spec, found(49)) is not None
    assert objection(spec, found(5000, 1000, added=4000, modified=1000), {}) is None
    assert objection(spec, found(5000, quarantined=1)) is not None
