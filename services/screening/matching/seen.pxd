from libc.stdint cimport uint16_t, uint32_t

cdef struct Gain:
    # Of a word of theirs: weight that may agree, weight of the pair that it may be part of, weight that misspelling takes from it at least, and which
    # words asked it may stand for.
    double agree, whole, lost
    uint32_t covers
    int slips  # legal words written as one with it

cdef class Seen:
    cdef uint32_t now
    cdef uint32_t[::1] names, words  # the look-up in which each was last met
    cdef float[::1] weight
    cdef uint16_t[::1] letters, count
    cdef uint32_t[::1] last  # by what a name was met last
    cdef uint32_t[::1] met  # numbers of names, in the order met
    cdef uint32_t by
    cdef float by_weight
    cdef int found, by_count, by_letters
    cdef uint32_t[::1] place  # of a word, among what may be gained
    cdef Gain* gains
    cdef int many

    cdef void begin(self, int names, int words)
    cdef int meet(self, list met, postings) except -1
    cdef void _meet(self, const uint32_t* numbers, Py_ssize_t many) noexcept
    cdef int gain(self, tuple gains, store, float[::1] weights) except -1
    cdef void _gain(self, uint32_t word, double agree, double whole, double lost, uint32_t bits, int slips) noexcept

cdef double weight_of(uint32_t word, store, float[::1] weights)
