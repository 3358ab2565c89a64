"""ILAB's XML as it may be written otherwise: no pair is passed over."""

from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from tests.unit.lists_reading import read_sent


@pytest.mark.parametrize(
    ("content", "uids", "quarantined"),
    [
        ("<Good><Good_Name>Tea</Good_Name><Countries><Country>India</Country><Country>Peru</Country></Countries></Good>", ["tea.IN", "tea.PE"], 0),
        ("<Good><Good_Name>Tea</Good_Name><Country>India</Country><Country>Peru</Country></Good>", ["tea.IN", "tea.PE"], 0),
        ("<Good><Name>Tea</Name><Countries><Country><Name>India</Name></Country><Country>Peru</Country><Country/></Countries></Good>", ["tea.IN", "tea.PE"], 0),
        ("<Good><Good_Name>Tea</Good_Name><Countries><Land>Peru</Land><Country><Name>India</Name></Country></Countries></Good>", ["tea.IN"], 1),
        ("<Country><Name>India</Name><Good>Tea</Good><Good>Gold</Good></Country>", ["gold.IN", "tea.IN"], 0),
        ("<Country><Name>India</Name><Goods><Good><Name>Tea</Name></Good><Good>Gold</Good><Thing>X</Thing></Goods></Country>", ["gold.IN", "tea.IN"], 1),
        ("<Good><Good_Name>Tea</Good_Name><Countries><Country name='India'/></Countries></Good>", [], 1),
    ],
)  # fmt: skip
def test_pairs_that_are_written_in_other_ways_are_read_or_told(tmp_path: Path, content: str, uids: list[str], quarantined: int) -> None:
    """A country by its name alone beside others with fields of their own, or an element of another name, was passed over."""
    reading = read_sent(catalogue.find("us_ilab_tvpra"), f"<Root>{content}</Root>".encode(), tmp_path)
    assert (sorted(entry.uid for entry in reading.entries), len(reading.quarantined)) == (uids, quarantined)
