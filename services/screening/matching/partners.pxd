from cpython cimport array

from services.screening.matching.postings cimport Postings
from services.screening.matching.seen cimport Seen


cdef class Partners:
    cdef readonly array.array words, alike
    cdef readonly list pairs, joining
    cdef readonly Py_ssize_t many


cdef class Words:
    cdef readonly Postings postings
    cdef readonly Seen seen
    cdef readonly object store, weight
    cdef public Py_ssize_t changes
    cdef object _corpus, _near, _far
    cdef bint _counted
    cdef dict _numbers  # of words
    cdef list _vocabulary
    cdef dict _partners, _nearby, _misreadings, _near_legal, _legal
    cdef list _legal_spelt
    cdef array.array _legal_signatures
    cdef tuple _partners_of, _nearby_of
    cdef Py_ssize_t _near_legal_of

    cdef int forget_old(self) except -1
    cdef Partners partners(self, str word)
    cdef list joins(self, name)
    cpdef Py_ssize_t frequency(self, str word) except -1
    cdef set misreadings(self, name)
    cdef dict may_be_legal(self, tuple words)
    cdef tuple _as_legal(self, str word)
    cdef bint _settled(self, str word) except -1
    cdef tuple _near_words(self, str word)
    cdef int _add_other_numbers(self, str word, array.array numbers, array.array likenesses) except -1
    cdef tuple _find_near(self, str word)
    cdef int _forget_nearby(self) except -1
    cdef list _parted(self, str word)
    cdef Partners _find_partners(self, str word)
