from collections.abc import Callable, Sequence

from services.screening.matching.bounds import Bound
from services.screening.matching.question import Question
from services.screening.matching.retrieve import Gains, Met, Shelved

def reaching(
    asked: Question,
    met: Sequence[Met],
    rest: int,
    shelf: Shelved,
    bound: Bound,
    floor: float,
    persons: bool,
    gains: Callable[[], tuple[Gains, set[int]]],
) -> tuple[list[int], int]: ...
