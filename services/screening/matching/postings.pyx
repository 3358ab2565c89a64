# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: which names bear a word: most words are borne by one name, and cost eight bytes."""

from array import array
from bisect import bisect_left, insort

from cpython cimport array
from libc.stdint cimport uint32_t

cdef uint32_t NEVER = 0xFFFFFFFF
cdef array.array _NUMBERS = array("I")


cdef class Postings:
    """Numbers of names by number of a word, sorted. A word that was never added is none that tells names apart."""

    def __cinit__(self):
        self.counts, self.single, self.many = array("I"), array("I"), {}

    def add(self, Py_ssize_t word, uint32_t name):
        """The name bears the word; is it the first that ever did?"""
        cdef uint32_t count
        while len(self.counts) <= word:
            self.counts.append(NEVER)
            self.single.append(0)
        count = self.counts.data.as_uints[word]
        if count == 0 or count == NEVER:
            self.single.data.as_uints[word] = name
            self.counts.data.as_uints[word] = 1
            return count == NEVER
        if count == 1:
            self.many[word] = array("I", sorted((self.single.data.as_uints[word], name)))
        elif self.many[word][count - 1] < name:
            self.many[word].append(name)
        else:
            insort(self.many[word], name)
        self.counts.data.as_uints[word] = count + 1
        return False

    def discard(self, Py_ssize_t word, uint32_t name):
        """The name, which bore it, no longer does."""
        self.counts[word] -= 1
        many = self.many.get(word)
        if many:
            del many[bisect_left(many, name)]
            if len(many) == 1:
                self.single[word] = many[0]
                del self.many[word]

    cpdef bint tells(self, Py_ssize_t word):
        """Has it ever told names apart? Else it is only ever part of a legal form."""
        return word < len(self.counts) and self.counts.data.as_uints[word] != NEVER

    cpdef uint32_t count(self, Py_ssize_t word):
        """How many names bear it."""
        return self.counts.data.as_uints[word] if self.tells(word) else 0

    cdef const uint32_t* of(self, Py_ssize_t word, Py_ssize_t* many):
        """Their numbers, until one comes or goes."""
        cdef array.array numbers
        many[0] = self.count(word)
        if many[0] < 2:
            return &self.single.data.as_uints[word]
        numbers = self.many[word]
        return numbers.data.as_uints

    def numbers(self, Py_ssize_t word):
        """A copy, for names may come."""
        cdef Py_ssize_t many, n
        cdef const uint32_t* of = self.of(word, &many)
        return [of[n] for n in range(many)]

    def both(self, Py_ssize_t one, Py_ssize_t other):
        """Names that bear both words: sorted, a copy."""
        cdef Py_ssize_t many, more, n, low = 0, high, step, middle
        cdef const uint32_t* few = self.of(one, &many)
        cdef const uint32_t* lot = self.of(other, &more)
        cdef array.array found = array.clone(_NUMBERS, 0, False)
        if more < many:
            few, lot, many, more = lot, few, more, many
        for n in range(many):
            high, step = low, 1  # each stands behind the last one: how far is tried in ever longer steps
            while high < more and lot[high] < few[n]:
                low, high, step = high + 1, high + step, step * 2
            high = min(high, more)
            while low < high:
                middle = (low + high) >> 1
                if lot[middle] < few[n]:
                    low = middle + 1
                else:
                    high = middle
            if low < more and lot[low] == few[n]:
                found.append(few[n])
        return found

    def state(self):
        """All of it, for `restore`: arrays as bytes, the names of words that several bear one after the other."""
        many = b"".join([numbers.tobytes() for numbers in self.many.values()])
        return self.counts.tobytes(), self.single.tobytes(), list(self.many), many

    def restore(self, bytes counts, bytes single, list words, bytes many):
        """Makes this, which is empty, what another one was."""
        cdef Py_ssize_t at = 0
        self.counts, self.single, every = array("I", counts), array("I", single), array("I", many)
        for word in words:
            self.many[word] = every[at : at + self.counts[word]]
            at += self.counts[word]
