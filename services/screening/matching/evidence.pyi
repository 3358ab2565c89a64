from services.screening.matching.align import Alignment, Side
from services.screening.matching.normalise import Prepared

def evidence_of(a: Prepared, b: Prepared, side_a: Side, side_b: Side, found: Alignment) -> tuple[float, ...]: ...
