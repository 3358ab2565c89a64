from services.screening.matching.partners import Words
from services.screening.matching.shelf import Wanted

def candidates(wanted: list[Wanted], here: Words) -> list[tuple[list[int], int]]: ...
