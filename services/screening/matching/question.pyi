from services.screening.matching.normalise import Prepared

BITS: int

class Question:
    def __init__(self, name: Prepared, weights: dict[str, tuple[float, float]], misread: dict[str, set[int]]) -> None: ...
