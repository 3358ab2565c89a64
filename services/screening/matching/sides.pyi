from services.screening.matching.corpus import Corpus
from services.screening.matching.normalise import Prepared

class Side:
    tokens: tuple[str, ...]
    weights: list[float]

def side_of(name: Prepared, corpus: Corpus) -> Side: ...
