from cpython cimport array
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from services.screening.matching.edits cimport MOST

cdef enum:
    MOST_KEYS = 640  # of one spelling: of four parts seven sizes at up to seven places, in three ways

cdef struct Spelt:
    # Who is looked up: letters, how many and which, and the edits looked for, or by the letters of the longer of two, which `lengths` says by number.
    Py_UCS4[MOST] letters
    int size, edits
    uint64_t signature
    const uint8_t* forgiven
    const uint16_t* lengths

cdef void ask(Spelt* asked, str spelt, int edits) noexcept
cdef int under(array.array runs, const uint64_t* keys, int many, Spelt* asked, const uint64_t* signatures, int stride, uint32_t** numbers) except -1
