from services.screening.matching.model import Model
from services.screening.matching.normalise import Prepared
from services.screening.matching.partners import Words

def candidates(asked: Prepared, here: Words, model: Model, floor: float, *, persons: bool) -> tuple[list[int], int]: ...
