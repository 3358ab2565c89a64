from libc.stdint cimport uint64_t

from services.screening.matching.edits cimport MOST

cpdef enum:
    BITS = 16  # distinct words of a name that are told apart; the rest counts as covered

cdef class Question:
    cdef double[BITS] own
    cdef double[BITS] single
    cdef double total
    cdef int distinct, many, misread_words, misread_rest
    cdef dict misread  # by the number of a legal word: bits of the words that may be it
    cdef tuple forms
    cdef Py_UCS4[MOST] core
    cdef Py_UCS4[MOST] full
    cdef Py_UCS4[MOST] core_sorted
    cdef Py_UCS4[MOST] full_sorted
    cdef int core_size, full_size
    cdef uint64_t core_signature, full_signature

cdef int spell_all(words, Py_UCS4* letters)
