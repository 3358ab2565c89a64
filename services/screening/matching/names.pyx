# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: names by number, in memory so that a look at one takes one access: thousands are looked at for one question."""

from cpython cimport array
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from services.screening.matching.edits cimport written_together
from services.screening.matching.memory cimport grown

cdef enum:
    SLACK = 2  # the words of long names that are gone are swept out once they are so many times those that stand
    FEW = 1 << 16


cdef class Names:
    """Each is its words by number, of which some are of a legal form; where none stands, it has no words and no letters."""

    def __cinit__(self):
        self.names, self.long = NULL, NULL
        self.many = self.standing = self.room = self.filled = self.long_room = 0

    def __dealloc__(self):
        free(self.names)
        free(self.long)

    def __len__(self):
        return self.many

    cdef int _grow(self, Py_ssize_t names, Py_ssize_t long) except -1:
        if names > self.room:
            names += names >> 1
            self.names = <Name*>grown(self.names, self.many * sizeof(Name), names * sizeof(Name))
            self.room = names
        if long > self.long_room:
            long += long >> 1
            self.long = <uint32_t*>grown(self.long, self.filled * sizeof(uint32_t), long * sizeof(uint32_t))
            self.long_room = long
        return 0

    def put(self, Py_ssize_t number, list coded, Py_ssize_t forms, array.array lengths, array.array signatures):
        """`coded`: word << 1 | of a legal form; nothing stands under the number, which is one that was given, or the next. `lengths`, `signatures`: of words
        by number."""
        cdef uint32_t code, letters = 0, core = 0
        cdef Name* name
        cdef uint32_t* words
        cdef int n
        if self.filled > SLACK * self.standing + FEW:
            self._sweep()
        self._grow(number + 1, self.filled + len(coded))
        name = &self.names[number]
        memset(name, 0, sizeof(Name))
        name.forms, name.size = forms, len(coded)
        words = &name.words[0]
        if name.size > HERE:
            name.words[0], words = self.filled, &self.long[self.filled]
            self.filled += name.size
            self.standing += name.size
        for n, code in enumerate(coded):
            words[n] = code
            letters += lengths.data.as_ushorts[code >> 1]
            name.signature = written_together(name.signature, signatures.data.as_ulonglongs[code >> 1])
            if not code & 1:
                core += lengths.data.as_ushorts[code >> 1]
                name.core_signature = written_together(name.core_signature, signatures.data.as_ulonglongs[code >> 1])
        name.letters, name.core_letters = letters, core
        self.many = max(self.many, number + 1)

    def remove(self, Py_ssize_t number):
        """None stands there any more."""
        if self.names[number].size > HERE:
            self.standing -= self.names[number].size
        memset(&self.names[number], 0, sizeof(Name))

    def spelt(self, Py_ssize_t number, list vocabulary):
        """(The words of a name, whether each is of a legal form, those that are not), as they were put."""
        cdef const Name* name = &self.names[number]
        cdef const uint32_t* words = self.words(name)
        cdef int n
        return (
            tuple([vocabulary[words[n] >> 1] for n in range(name.size)]),
            tuple([words[n] & 1 == 1 for n in range(name.size)]),
            tuple([vocabulary[words[n] >> 1] for n in range(name.size) if not words[n] & 1]),
        )

    def forms(self, Py_ssize_t number):
        """As they were put."""
        return self.names[number].forms

    def free(self):
        """Numbers under which none stands."""
        cdef Py_ssize_t number
        return [number for number in range(self.many) if not self.names[number].size]

    def legal(self):
        """Words that are of a legal form in any name."""
        cdef Py_ssize_t number
        cdef const uint32_t* words
        cdef int n
        cdef set found = set()
        for number in range(self.many):
            words = self.words(&self.names[number])
            for n in range(self.names[number].size):
                if words[n] & 1:
                    found.add(words[n] >> 1)
        return found

    def _sweep(self):
        """Moves the words of all long names that stand together."""
        cdef uint32_t* swept = <uint32_t*>grown(NULL, 0, self.standing * sizeof(uint32_t))
        cdef Name* name
        cdef Py_ssize_t number, at = 0
        for number in range(self.many):
            name = &self.names[number]
            if name.size > HERE:
                memcpy(swept + at, self.long + name.words[0], name.size * sizeof(uint32_t))
                name.words[0] = at
                at += name.size
        free(self.long)
        self.long, self.filled, self.long_room = swept, at, at

    def state(self):
        """All of it as bytes, for `restore`."""
        return (<char*>self.names)[: self.many * sizeof(Name)], (<char*>self.long)[: self.filled * sizeof(uint32_t)]

    def restore(self, bytes names, bytes long):
        """Makes these, which are none, what others were."""
        cdef Py_ssize_t number
        self._grow(len(names) // sizeof(Name), len(long) // sizeof(uint32_t))
        memcpy(self.names, <char*>names, len(names))
        memcpy(self.long, <char*>long, len(long))
        self.many, self.filled = len(names) // sizeof(Name), len(long) // sizeof(uint32_t)
        for number in range(self.many):
            if self.names[number].size > HERE:
                self.standing += self.names[number].size
