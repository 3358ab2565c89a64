# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: names by number, in memory so that a look at one takes one access: thousands are looked at for one question."""

from cpython cimport array
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from services.screening.matching.edits cimport written_together

cdef enum:
    SLACK = 2  # the words of names that are gone are swept out once they are so many times those that stand
    FEW = 1 << 16


cdef class Names:
    """Each is its words by number, of which some are of a legal form; where none stands, it has no words and no letters."""

    def __cinit__(self):
        self.looks, self.names, self.words = NULL, NULL, NULL
        self.many = self.standing = self.room = self.filled = self.words_room = 0

    def __dealloc__(self):
        free(self.looks)
        free(self.names)
        free(self.words)

    def __len__(self):
        return self.many

    cdef int _grow(self, Py_ssize_t names, Py_ssize_t words) except -1:
        if names > self.room:
            self.room = names + (names >> 1)
            self.looks = <Look*>realloc(self.looks, self.room * sizeof(Look))
            self.names = <Name*>realloc(self.names, self.room * sizeof(Name))
        if words > self.words_room:
            self.words_room = words + (words >> 1)
            self.words = <uint32_t*>realloc(self.words, self.words_room * sizeof(uint32_t))
        if (not (self.looks and self.names) and self.room) or (not self.words and self.words_room):
            raise MemoryError
        return 0

    def put(self, Py_ssize_t number, list coded, Py_ssize_t forms, array.array lengths, array.array signatures):
        """`coded`: word << 1 | of a legal form; nothing stands under the number, which is one that was given, or the next. `lengths`, `signatures`: of words
        by number."""
        cdef uint32_t code, letters = 0, core = 0
        cdef Look* look
        cdef Name* name
        if self.filled > SLACK * self.standing + FEW:
            self._sweep()
        self._grow(number + 1, self.filled + len(coded))
        look, name = &self.looks[number], &self.names[number]
        memset(look, 0, sizeof(Look))
        name.start, name.forms, name.size = self.filled, forms, len(coded)
        for code in coded:
            self.words[self.filled] = code
            self.filled += 1
            letters += lengths.data.as_ushorts[code >> 1]
            look.signature = written_together(look.signature, signatures.data.as_ulonglongs[code >> 1])
            if not code & 1:
                core += lengths.data.as_ushorts[code >> 1]
                look.core_signature = written_together(look.core_signature, signatures.data.as_ulonglongs[code >> 1])
        look.letters, look.core_letters = letters, core
        self.standing += name.size
        self.many = max(self.many, number + 1)

    def remove(self, Py_ssize_t number):
        """None stands there any more."""
        self.standing -= self.names[number].size
        memset(&self.looks[number], 0, sizeof(Look))
        memset(&self.names[number], 0, sizeof(Name))

    def coded(self, Py_ssize_t number):
        """The words of a name, as they were put."""
        cdef Name* name = &self.names[number]
        cdef int n
        return [self.words[name.start + n] for n in range(name.size)]

    def forms(self, Py_ssize_t number):
        """As they were put."""
        return self.names[number].forms

    def free(self):
        """Numbers under which none stands."""
        cdef Py_ssize_t number
        return [number for number in range(self.many) if not self.names[number].size]

    def legal(self):
        """Words that are of a legal form in any name."""
        cdef Py_ssize_t n
        return {self.words[n] >> 1 for n in range(self.filled) if self.words[n] & 1}

    def _sweep(self):
        """Moves the words of all names that stand together."""
        cdef uint32_t* swept = <uint32_t*>realloc(NULL, max(1, self.standing) * sizeof(uint32_t))
        cdef Name* name
        cdef Py_ssize_t number, at = 0
        if not swept:
            raise MemoryError
        for number in range(self.many):
            name = &self.names[number]
            memcpy(swept + at, self.words + name.start, name.size * sizeof(uint32_t))
            name.start = at
            at += name.size
        free(self.words)
        self.words, self.filled, self.words_room = swept, at, max(1, self.standing)

    def state(self):
        """All of it as bytes, for `restore`."""
        return (
            (<char*>self.looks)[: self.many * sizeof(Look)],
            (<char*>self.names)[: self.many * sizeof(Name)],
            (<char*>self.words)[: self.filled * sizeof(uint32_t)],
        )

    def restore(self, bytes looks, bytes names, bytes words):
        """Makes these, which are none, what others were."""
        cdef Py_ssize_t number
        self._grow(len(names) // sizeof(Name), len(words) // sizeof(uint32_t))
        memcpy(self.looks, <char*>looks, len(looks))
        memcpy(self.names, <char*>names, len(names))
        memcpy(self.words, <char*>words, len(words))
        self.many, self.filled = len(names) // sizeof(Name), len(words) // sizeof(uint32_t)
        for number in range(self.many):
            self.standing += self.names[number].size
