from libc.stdint cimport uint32_t

cdef enum:
    MOST = 400  # letters that are looked at, as settings.MAX_LETTERS; transliteration may have made more of them

cdef int spell(str word, Py_UCS4* letters, int at) noexcept
cdef uint32_t alphabet_of(const Py_UCS4* letters, int size) noexcept nogil
cdef int spell_name(const uint32_t* coded, int size, list vocabulary, bint telling, Py_UCS4* letters) noexcept
cdef int distance(const Py_UCS4* a, int n, const Py_UCS4* b, int m, int limit) noexcept nogil
cdef int edits_within(str one, str other, int limit) except -1
cdef bint same_digits(str one, str other) noexcept
cdef double alike(str x, str y, int* edits)
