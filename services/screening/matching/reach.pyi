from collections.abc import Callable, Sequence

from services.screening.matching.bounds import Bound
from services.screening.matching.normalise import Prepared
from services.screening.matching.postings import Postings
from services.screening.matching.retrieve import Gains, Met
from services.screening.matching.seen import Seen
from services.screening.matching.store import NameStore

BITS: int

class Question:
    def __init__(self, name: Prepared, weights: dict[str, tuple[float, float]], misread: dict[str, set[int]]) -> None: ...

def reaching(
    asked: Question,
    met: Sequence[Met],
    rest: Met,
    seen: Seen,
    store: NameStore,
    postings: Postings,
    bound: Bound,
    floor: float,
    persons: bool,
    gains: Callable[[], Gains],
    misread_as: Callable[[], set[int]],
) -> tuple[list[int], int]: ...
