# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: what one look-up has seen of names and words: by which words asked each name was met, and what each word may gain."""

from cpython cimport array
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, realloc

import numpy as np


cdef class Seen:
    """What a look-up knows of names and of words, by number; kept from one to the next, since clearing it would cost more than asking."""

    def __cinit__(self):
        self.now, self.by, self.gains, self.many = 0, 0, NULL, 0
        self.names = self.words = np.zeros(0, np.uint32)

    def __dealloc__(self):
        free(self.gains)

    cdef void begin(self, int names, int words):
        """Another look-up, among so many."""
        if names > self.names.shape[0]:
            names += names >> 1
            self.names, self.last, self.met = np.zeros(names, np.uint32), np.zeros(names, np.uint32), np.empty(names, np.uint32)
            self.weight, self.letters, self.count = np.empty(names, np.float32), np.empty(names, np.uint16), np.empty(names, np.uint16)
        if words > self.words.shape[0]:
            words += words >> 1
            self.words, self.place = np.zeros(words, np.uint32), np.empty(words, np.uint32)
        self.now += 1
        if not self.now:  # once around: what is so old looks new
            self.names[:], self.words[:], self.now = 0, 0, 1

    cdef int meet(self, list met, postings) except -1:
        """Adds up what each name was met by; how many they are."""
        cdef array.array counts = postings.counts, single = postings.single, several
        cdef dict many = postings.many
        cdef const uint32_t[::1] joining
        cdef uint32_t word
        self.found = 0
        for words, more, self.by_weight, self.by_count, self.by_letters in met:
            self.by += 1
            if not self.by:
                self.last[:], self.by = 0, 1
            for word in words:
                if counts.data.as_uints[word] == 1:
                    self._meet(&single.data.as_uints[word], 1)
                else:
                    several = many[word]
                    self._meet(several.data.as_uints, len(several))
            for joining in more:
                if joining.shape[0]:
                    self._meet(&joining[0], joining.shape[0])
        return self.found

    cdef void _meet(self, const uint32_t* numbers, Py_ssize_t many) noexcept:
        cdef uint32_t number
        cdef Py_ssize_t n
        for n in range(many):
            number = numbers[n]
            if self.names[number] != self.now:
                self.names[number] = self.now
                self.weight[number] = self.letters[number] = self.count[number] = 0
                self.met[self.found] = number
                self.found += 1
            elif self.last[number] == self.by:
                continue
            self.last[number] = self.by
            self.weight[number] += self.by_weight
            self.count[number] += self.by_count
            self.letters[number] += self.by_letters

    cdef int gain(self, tuple gains, store, float[::1] weights) except -1:
        """Takes in what words may gain, of each the best: see retrieve."""
        cdef uint32_t word, bits
        cdef double weight, lighter, near, agree, whole, alike
        partners, parts = gains
        self.gains = <Gain*>realloc(self.gains, sizeof(Gain) * (1 + len(parts) + sum([len(one[2]) for one in partners])))
        if not self.gains:
            raise MemoryError
        self.many = 0
        for bits, weight, words, likenesses in partners:
            for word, alike in zip(words, likenesses, strict=True):
                lighter = min(weight, weight_of(word, store, weights))
                near = alike * lighter
                self._gain(word, near, near, lighter - near, bits, 0)
        for word, agree, whole, bits, glued in parts:
            self._gain(word, agree, whole, 0, bits, glued)
        return 0

    cdef void _gain(self, uint32_t word, double agree, double whole, double lost, uint32_t bits, int slips) noexcept:
        cdef Gain* gain
        if self.words[word] != self.now:
            self.words[word], self.place[word] = self.now, self.many
            self.gains[self.many] = Gain(agree, whole, lost, bits, slips)
            self.many += 1
            return
        gain = &self.gains[self.place[word]]
        gain.agree, gain.whole, gain.lost = max(gain.agree, agree), max(gain.whole, whole), min(gain.lost, lost)
        gain.covers |= bits
        gain.slips = max(gain.slips, slips)


cdef double weight_of(uint32_t word, store, float[::1] weights):
    cdef double found = weights[word]
    return found if found == found else store.weigh(word)
