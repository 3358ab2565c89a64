from libc.stdint cimport uint32_t

cdef struct Borne:
    # By how many names a word is, and that name's number, or the place of their numbers among `several`.
    uint32_t count, at

cdef struct Several:
    uint32_t* numbers  # sorted
    uint32_t room

cdef class Postings:
    cdef Borne* words
    cdef Several* several
    cdef Py_ssize_t many, words_room, places, places_room
    cdef list free  # places among `several`

    cdef int _grow(self, Py_ssize_t words, Py_ssize_t places) except -1
    cdef int _hold(self, Py_ssize_t word, uint32_t room) except -1
    cdef int _part(self, Py_ssize_t word, uint32_t room) except -1
    cpdef bint tells(self, Py_ssize_t word)
    cpdef uint32_t count(self, Py_ssize_t word)
    cdef inline const uint32_t* of(self, Py_ssize_t word, Py_ssize_t* many) noexcept nogil:
        """Numbers of the names that bear a word that was added, until one comes or goes."""
        cdef Borne* borne = &self.words[word]
        many[0] = borne.count
        return &borne.at if borne.count < 2 else self.several[borne.at].numbers
