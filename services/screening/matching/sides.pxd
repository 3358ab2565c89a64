from libc.stdint cimport uint64_t

cdef enum:
    MOST_WORDS = 64  # of a name; more than settings.MAX_TOKENS

cdef class Side:
    cdef readonly tuple tokens
    cdef int size
    cdef double[MOST_WORDS] weight
    cdef uint64_t forms  # which of them are of a legal form

cdef uint64_t all_of(Side side)
cdef double weight_of(Side side, uint64_t which)
cdef list words_of(Side side, uint64_t which)
cdef str joined(Side side, uint64_t which)
