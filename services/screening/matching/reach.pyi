from collections.abc import Callable, Sequence

from services.screening.matching.bounds import Bound
from services.screening.matching.normalise import Prepared
from services.screening.matching.retrieve import Gains, Met, Shelved

BITS: int

class Question:
    def __init__(self, name: Prepared, weights: dict[str, tuple[float, float]], misread: dict[str, set[int]]) -> None: ...

def reaching(
    asked: Question,
    met: Sequence[Met],
    rest: Met,
    shelf: Shelved,
    bound: Bound,
    floor: float,
    persons: bool,
    gains: Callable[[], tuple[Gains, set[int]]],
) -> tuple[list[int], int]: ...
