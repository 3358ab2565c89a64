"""Changes between releases, and releases that must wait for a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intelligence.lists import catalogue
from services.intelligence.lists.diff import Changes, compare, guard

SPEC = catalogue.find("us_ofac_sdn")
RELEASES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["1", "2", "3"]))


def gone(n: int) -> Changes:
    return Changes(deleted=tuple(str(i) for i in range(n)))


def test_the_three_kinds_of_change() -> None:
    assert compare({"1": "a", "2": "b", "3": "c"}, {"2": "b", "3": "x", "4": "d"}) == Changes(added=("4",), modified=("3",), deleted=("1",))


@given(RELEASES, RELEASES)
def test_changes_lead_from_one_release_to_the_other(old: dict[str, str], new: dict[str, str]) -> None:
    changes = compare(old, new)
    after = {uid: digest for uid, digest in old.items() if uid not in changes.deleted}
    assert after | {uid: new[uid] for uid in (*changes.added, *changes.modified)} == new
    assert compare(new, new) == Changes()


def test_an_unreadable_row_releases_nobody() -> None:
    assert compare({"1": "a", "2": "b"}, {}, unread={"1"}).deleted == ("2",)


def test_an_empty_release_waits() -> None:
    assert guard(SPEC, 0, Changes(), 0) == "The release holds 0 entries; at least 1 are expected"


@pytest.mark.parametrize(
    ("old", "deleted", "refused"), [(100, 20, False), (100, 21, True), (10, 2, False), (10, 3, True), (0, 0, False), (8976, 515, False)]
)
def test_a_release_that_removes_too_much_waits(old: int, deleted: int, refused: bool) -> None:
    assert (guard(SPEC, old, gone(deleted), 5000) is not None) is refused


def test_an_entry_that_may_stand_in_a_row_that_is_nobodys_is_not_released() -> None:
    assert guard(SPEC, 100, gone(1), 99, nameless=1) is not None
    assert guard(SPEC, 100, gone(0), 100, nameless=1) is None


def test_the_reason_gives_the_numbers() -> None:
    assert guard(SPEC, 8976, gone(4488), 4488) == (
        "The release holds 4488 entries and removes 4488 of the 8976 in force (50.0%); more than 20.0% must be accepted by a person"
    )


def test_swapping_most_entries_for_others_waits_too() -> None:
    assert guard(SPEC, 100, gone(90), 100) is not None
