from services.screening.matching.names cimport Names
from services.screening.matching.postings cimport Postings
from services.screening.matching.question cimport Question
from services.screening.matching.seen cimport Seen

cdef int meet(list met, int rest, Question asked, Seen seen, Postings postings, Names names) except -1
