from libc.stdint cimport uint64_t

cdef enum:
    MOST_WORDS = 64  # of a name; more than settings.MAX_TOKENS
    NEAR = 2  # edits within which a name is found as a whole, see segments

cdef enum Kind:
    EXACT, SPACING, FUZZY, INITIAL, RUN, OTHER_WORD

cdef struct Match:
    # Which words of one name (bits, by their place) stand for which of the other.
    uint64_t a, b
    double similarity, weight
    int edits
    Kind kind

cdef class Side:
    cdef readonly tuple tokens
    cdef int size
    cdef double[MOST_WORDS] weight
    cdef uint64_t forms  # which of them are of a legal form

cdef class Alignment:
    cdef Match[MOST_WORDS] matches
    cdef int many
    cdef uint64_t a, b  # what is left

    cdef void add(self, uint64_t a, uint64_t b, Kind kind, double similarity, double weight, int edits) noexcept

cdef list words_of(Side side, uint64_t which)
