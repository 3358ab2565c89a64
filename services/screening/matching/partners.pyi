from services.screening.matching.corpus import Corpus
from services.screening.matching.deletions import Neighbourhoods
from services.screening.matching.postings import Postings
from services.screening.matching.segments import Segments
from services.screening.matching.store import NameStore

LONG: int
LONG_EDITS: int

class Words:
    changes: int
    def __init__(
        self, corpus: Corpus, store: NameStore, postings: Postings, near: Neighbourhoods, far: Segments, *, counted: bool
    ) -> None: ...
    def frequency(self, word: str) -> int: ...
