# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: what one look-up has seen of names and words: which names it met, and what each word may gain."""

from cpython cimport array
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from services.screening.matching.memory cimport grown


cdef class Seen:
    """What a look-up knows of names and of words, by number; kept from one to the next, since clearing it would cost more than asking."""

    def __cinit__(self):
        self.names_room = self.words_room = self.many = self.many_marked = self.found = 0
        self.names, self.met, self.marks, self.places, self.marked, self.gains = NULL, NULL, NULL, NULL, NULL, NULL

    def __dealloc__(self):
        free(self.names)
        free(self.met)
        free(self.marks)
        free(self.places)
        free(self.marked)
        free(self.gains)

    cdef int begin(self, int names, int words) except -1:
        """Another look-up, among so many."""
        cdef int n
        for n in range(self.found):
            self.names[self.met[n] >> 6] = 0
        if names > self.names_room:
            names = names + (names >> 1) | 63
            self.names = <uint64_t*>grown(self.names, 0, (names + 1) // 8)
            self.met = <uint32_t*>grown(self.met, 0, names * sizeof(uint32_t))
            memset(self.names, 0, (names + 1) // 8)
            self.names_room = names
        for n in range(self.many_marked):
            self.marks[self.marked[n] >> 6] = 0
        self.many = self.many_marked = self.found = 0
        if words > self.words_room:
            words = words + (words >> 1) | 63
            self.marks = <uint64_t*>grown(self.marks, 0, (words + 1) // 8)
            self.places = <uint32_t*>grown(self.places, 0, words * sizeof(uint32_t))
            self.marked = <uint32_t*>grown(self.marked, 0, words * sizeof(uint32_t))
            memset(self.marks, 0, (words + 1) // 8)
            self.words_room = words
        return 0

    cdef void _mark(self, uint32_t word, uint32_t place) noexcept:
        self.marks[word >> 6] |= <uint64_t>1 << (word & 63)
        self.places[word] = place
        self.marked[self.many_marked] = word
        self.many_marked += 1

    cdef int gain(self, tuple gains, store, float* weights) except -1:
        """Takes in what words may gain, of each the best, and which of the others may be legal ones misread: see retrieve."""
        cdef uint32_t word, bits
        cdef double weight, lighter, near, agree, whole
        cdef array.array words, alike
        cdef Py_ssize_t n
        (partners, parts), misread = gains
        self.gains = <Gain*>grown(self.gains, 0, sizeof(Gain) * (len(parts) + sum([len(one[2]) for one in partners])))
        for bits, weight, words, alike in partners:
            for n in range(len(words)):
                word = words.data.as_uints[n]
                lighter = min(weight, weights[word] if weights[word] == weights[word] else store.weigh(word))
                near = alike.data.as_doubles[n] * lighter
                self._gain(word, near, near, lighter - near, bits, 0)
        for word, agree, whole, bits, glued in parts:
            self._gain(word, agree, whole, 0, bits, glued)
        for word in misread:
            if not self.has(word):
                self._mark(word, MISREAD)
        return 0

    cdef void _gain(self, uint32_t word, double agree, double whole, double lost, uint32_t bits, int slips) noexcept:
        cdef Gain* gain
        if not self.has(word):
            self._mark(word, self.many)
            self.gains[self.many] = Gain(agree, whole, lost, bits, slips)
            self.many += 1
            return
        gain = &self.gains[self.places[word]]
        gain.agree, gain.whole, gain.lost = max(gain.agree, agree), max(gain.whole, whole), min(gain.lost, lost)
        gain.covers |= bits
        gain.slips = max(gain.slips, slips)
