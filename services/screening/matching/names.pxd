from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from *:
    void fetch "__builtin_prefetch"(const void* what) noexcept nogil

cdef struct Look:
    # What of a name says at a glance how alike another can be: its signature (see edits) and how many letters it has; and of its telling words alone.
    uint64_t signature, core_signature
    uint16_t letters, core_letters

cdef struct Name:
    # Where its words begin among all, which legal forms it has, and how many words.
    uint32_t start, forms
    uint8_t size

cdef class Names:
    cdef Look* looks  # apart from the rest, so that thousands are passed over in few reads
    cdef Name* names
    cdef uint32_t* words  # word << 1 | of a legal form, name after name
    cdef readonly Py_ssize_t many, standing  # numbers given; words of names that stand
    cdef Py_ssize_t room, filled, words_room

    cdef int _grow(self, Py_ssize_t names, Py_ssize_t words) except -1
