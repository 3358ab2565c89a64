from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from *:
    void fetch "__builtin_prefetch"(const void* what) noexcept nogil

cdef enum:
    HERE = 9  # words that stand in a name's own record

cdef struct Name:
    # A name in 64 bytes, which memory gives in one piece: how it is spelt (see edits), all of it and its telling words alone, by signature and letters; which
    # legal forms it has; how many words, and these: word << 1 | of a legal form. If they are more than find room, the first is where they stand.
    uint64_t signature, core_signature
    uint32_t forms
    uint16_t letters, core_letters
    uint8_t size
    uint32_t[HERE] words

cdef class Names:
    cdef Name* names
    cdef uint32_t* long  # the words of names that have many, name after name
    cdef readonly Py_ssize_t many, standing  # numbers given; words among the long ones of names that stand
    cdef Py_ssize_t room, filled, long_room

    cdef int _grow(self, Py_ssize_t names, Py_ssize_t long) except -1
    cdef inline const uint32_t* words(self, const Name* name) noexcept nogil:
        return &name.words[0] if name.size <= HERE else &self.long[name.words[0]]
