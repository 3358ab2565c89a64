"""Many names against a list, without a system: `duewatch match batch`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from services.screening.matching.asking import Hit, Search
from services.screening.matching.index import NameIndex
from services.screening.matching.settings import BATCH_FLOOR
from services.screening.matching.why import Why
from shared.errors import Invalid

_TOGETHER: Final = 200  # names looked for in one go


class BatchRow(NamedTuple):
    """One listed party that a name may be."""

    name_id: str
    list_id: str
    score: float
    why: tuple[Why, ...]


def batch(
    listed: Iterable[tuple[str, str]],
    names: Iterable[tuple[str, str]],
    *,
    alert_rate: float | None = None,
    limit: int | None = None,
) -> Iterator[BatchRow]:
    """Rows for each name asked, in the order asked, best first; `listed` and `names` are (id, name), rows of one id aliases.

    With `alert_rate` (0..1) only scores stay of which the best ones of that share of the ids asked, and no more, are
    made; without it all from BATCH_FLOOR, as they are found. `limit` is the most rows for one name. Raises Invalid.
    """
    if alert_rate is not None and not 0 <= alert_rate <= 1:
        raise Invalid("The alert rate is a share of the names: between 0 and 1.")
    return _rows(_index(listed), _grouped(names), alert_rate, limit)


def _rows(index: NameIndex, asked: dict[str, list[str]], alert_rate: float | None, limit: int | None) -> Iterator[BatchRow]:
    found: Iterable[tuple[str, list[Hit]]] = _found(index, asked, limit)
    cut = BATCH_FLOOR
    if alert_rate is not None:
        found = list(found)
        cut = _cut([hits for _, hits in found if hits], int(alert_rate * len(asked) + 1e-9))
    for name_id, hits in found:
        for hit in hits:
            if hit.score >= cut:
                yield BatchRow(name_id, hit.key, hit.score, hit.why)


def _found(index: NameIndex, asked: dict[str, list[str]], limit: int | None) -> Iterator[tuple[str, list[Hit]]]:
    ids = list(asked)
    for at in range(0, len(ids), _TOGETHER):
        part = ids[at : at + _TOGETHER]
        yield from zip(part, index.search_all([Search(asked[one], BATCH_FLOOR, limit=limit) for one in part]), strict=True)


def _cut(found: list[list[Hit]], alerts: int) -> float:
    """The least score that at most so many names reach: where the next one ties, those that tie do not alert."""
    best = sorted((hits[0].score for hits in found), reverse=True)
    if len(best) <= alerts:
        return BATCH_FLOOR
    above = [score for score in best if score > best[alerts]]
    return above[-1] if above else 2.0


def _index(listed: Iterable[tuple[str, str]]) -> NameIndex:
    index = NameIndex()
    for list_id, names in _grouped(listed).items():
        index.put(list_id, names)
    return index


def _grouped(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for row_id, name in rows:
        grouped[row_id].append(name)
    return dict(grouped)
