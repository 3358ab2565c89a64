from cpython cimport array
from libc.stdint cimport uint32_t

cdef class Postings:
    cdef array.array counts, single
    cdef dict many

    cpdef bint tells(self, Py_ssize_t word)
    cpdef uint32_t count(self, Py_ssize_t word)
    cdef const uint32_t* of(self, Py_ssize_t word, Py_ssize_t* many)
