from typing import Literal, NamedTuple

from services.screening.matching.corpus import Corpus
from services.screening.matching.sides import Side

PairKind = Literal["exact", "spacing", "fuzzy", "initial", "run", "other_word"]

class Pair(NamedTuple):
    a: tuple[int, ...]
    b: tuple[int, ...]
    kind: PairKind
    similarity: float
    weight: float
    edits: int

class Alignment:
    pairs: list[Pair]
    left_a: list[int]
    left_b: list[int]
    def swapped(self) -> Alignment: ...

def align(a: Side, b: Side, corpus: Corpus, *, persons: bool = False) -> Alignment: ...
