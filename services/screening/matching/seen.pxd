from libc.stdint cimport uint16_t, uint32_t, uint64_t

from services.screening.matching.postings cimport Postings

cdef enum:
    AHEAD = 16  # names that are fetched from memory before they are looked at
    MISREAD = 0xFFFFFFFF  # a word that gains nothing, but may be a legal one misread

cdef struct Gain:
    # Of a word of theirs: weight that may agree, weight of the pair that it may be part of, weight that misspelling takes from it at least, and which
    # words asked it may stand for.
    double agree, whole, lost
    uint32_t covers
    int slips  # legal words written as one with it

cdef struct Sight:
    # Of a name: the look-up in which it was last met, by which of its words, and what those that met it weigh, how many letters they have and how many
    # they are.
    uint32_t now, by
    float weight
    uint16_t letters, count

cdef class Seen:
    cdef uint32_t now
    cdef Sight* names
    cdef uint32_t* met  # numbers of names, in the order met
    cdef int names_room, words_room
    cdef uint64_t* marks  # a bit for each word that may gain something, or is MISREAD
    cdef uint32_t* places  # of these, among what may be gained
    cdef uint32_t* marked  # these
    cdef int many_marked
    cdef uint32_t by
    cdef float by_weight
    cdef int found, by_count, by_letters
    cdef Gain* gains
    cdef int many

    cdef int begin(self, int names, int words) except -1
    cdef void _mark(self, uint32_t word, uint32_t place) noexcept
    cdef int meet(self, list met, Postings postings) except -1
    cdef void _meet(self, const uint32_t* numbers, Py_ssize_t many) noexcept
    cdef int gain(self, tuple gains, store, float* weights) except -1
    cdef inline bint has(self, uint32_t word) noexcept nogil:
        """May it gain something, or be MISREAD?"""
        return self.marks[word >> 6] >> (word & 63) & 1

    cdef void _gain(self, uint32_t word, double agree, double whole, double lost, uint32_t bits, int slips) noexcept
