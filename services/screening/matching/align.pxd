from libc.stdint cimport uint64_t

from services.screening.matching.sides cimport MOST_WORDS

cdef enum:
    NEAR = 2  # edits within which a name is found as a whole, see segments

cdef enum Kind:
    EXACT, SPACING, FUZZY, INITIAL, RUN, OTHER_WORD

cdef struct Match:
    # Which words of one name (bits, by their place) stand for which of the other.
    uint64_t a, b
    double similarity, weight
    int edits
    Kind kind

cdef class Alignment:
    cdef Match[MOST_WORDS] matches
    cdef int many
    cdef uint64_t a, b  # what is left

    cdef void add(self, uint64_t a, uint64_t b, Kind kind, double similarity, double weight, int edits) noexcept
