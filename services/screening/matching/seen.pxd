from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    AHEAD = 16  # names that are fetched from memory before they are looked at
    MISREAD = 0xFFFFFFFF  # a word that gains nothing, but may be a legal one misread

cdef struct Gain:
    # Of a word of theirs: weight that may agree, weight of the pair that it may be part of, weight that misspelling takes from it at least, and which
    # words asked it may stand for.
    double agree, whole, lost
    uint32_t covers
    int slips  # legal words written as one with it

cdef class Seen:
    cdef uint64_t* names  # a bit for each that is met
    cdef uint32_t* met  # numbers of names, in the order met
    cdef int names_room, words_room
    cdef uint64_t* marks  # a bit for each word that may gain something, or is MISREAD
    cdef uint32_t* places  # of these, among what may be gained
    cdef uint32_t* marked  # these
    cdef int many_marked
    cdef int found  # of these
    cdef Gain* gains
    cdef int many

    cdef int begin(self, int names, int words) except -1
    cdef void _mark(self, uint32_t word, uint32_t place) noexcept
    cdef inline void note(self, uint32_t number) noexcept nogil:
        """A name is met."""
        cdef uint64_t bit = <uint64_t>1 << (number & 63)
        if not self.names[number >> 6] & bit:
            self.names[number >> 6] |= bit
            self.met[self.found] = number
            self.found += 1

    cdef int gain(self, tuple gains, store, float* weights) except -1
    cdef inline bint has(self, uint32_t word) noexcept nogil:
        """May it gain something, or be MISREAD?"""
        return self.marks[word >> 6] >> (word & 63) & 1

    cdef void _gain(self, uint32_t word, double agree, double whole, double lost, uint32_t bits, int slips) noexcept
