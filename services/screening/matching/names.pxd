from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef extern from *:
    void fetch "__builtin_prefetch"(const void* what) noexcept nogil

cdef struct Name:
    # Where its words begin among all, which letters it has (see edits), which of them in its telling words, and which legal forms it has.
    uint32_t start, alphabet, core_alphabet, forms
    uint16_t letters, core_letters  # how many
    uint8_t size  # words

cdef class Names:
    cdef Name* names
    cdef uint32_t* words  # word << 1 | of a legal form, name after name
    cdef readonly Py_ssize_t many, standing  # numbers given; words of names that stand
    cdef Py_ssize_t room, filled, words_room

    cdef int _grow(self, Py_ssize_t names, Py_ssize_t words) except -1
