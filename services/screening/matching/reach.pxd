from services.screening.matching.bounds cimport Bound
from services.screening.matching.partners cimport Words
from services.screening.matching.question cimport Question

cdef tuple reaching(Question asked, list met, int rest, Words here, Bound bound, double floor, bint persons, gains)
