from libc.stdint cimport uint16_t, uint32_t

cdef extern from *:
    void fetch "__builtin_prefetch"(const void* what) noexcept nogil

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

cdef struct Place:
    # Of a word: the look-up in which it was last seen, and where among what may be gained; or MISREAD.
    uint32_t now, at

cdef class Seen:
    cdef uint32_t now
    cdef Sight* names
    cdef Place* words
    cdef uint32_t* met  # numbers of names, in the order met
    cdef int names_room, words_room
    cdef uint32_t by
    cdef float by_weight
    cdef int found, by_count, by_letters
    cdef Gain* gains
    cdef int many

    cdef int begin(self, int names, int words) except -1
    cdef int meet(self, list met, postings) except -1
    cdef void _meet(self, const uint32_t* numbers, Py_ssize_t many) noexcept
    cdef int gain(self, tuple gains, set misread, store, float* weights) except -1
    cdef void _gain(self, uint32_t word, double agree, double whole, double lost, uint32_t bits, int slips) noexcept

cdef inline double weight_of(uint32_t word, store, float* weights):
    """As the corpus weighs it now: see NameStore.weights."""
    cdef double found = weights[word]
    return found if found == found else store.weigh(word)
