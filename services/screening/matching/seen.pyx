# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: what one look-up has seen of names and words: by which words asked each name was met, and what each word may gain."""

from cpython cimport array
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset


cdef class Seen:
    """What a look-up knows of names and of words, by number; kept from one to the next, since clearing it would cost more than asking."""

    def __cinit__(self):
        self.now = self.by = self.names_room = self.words_room = self.many = 0
        self.names, self.words, self.met, self.gains = NULL, NULL, NULL, NULL

    def __dealloc__(self):
        free(self.names)
        free(self.words)
        free(self.met)
        free(self.gains)

    cdef int begin(self, int names, int words) except -1:
        """Another look-up, among so many."""
        self.now += 1
        if names > self.names_room or words > self.words_room or not self.now:  # once around, what is so old would look new
            self.names_room, self.words_room = max(self.names_room, names + (names >> 1)), max(self.words_room, words + (words >> 1))
            self.names = <Sight*>realloc(self.names, self.names_room * sizeof(Sight))
            self.words = <Place*>realloc(self.words, self.words_room * sizeof(Place))
            self.met = <uint32_t*>realloc(self.met, self.names_room * sizeof(uint32_t))
            if not (self.names and self.words and self.met):
                raise MemoryError
            memset(self.names, 0, self.names_room * sizeof(Sight))
            memset(self.words, 0, self.words_room * sizeof(Place))
            self.now = 1
        return 0

    cdef int meet(self, list met, postings) except -1:
        """Adds up what each name was met by; how many they are."""
        cdef array.array counts = postings.counts, single = postings.single, several
        cdef dict many = postings.many
        cdef const uint32_t[::1] joining
        cdef uint32_t word
        self.found = self.by = 0
        for words, more, self.by_weight, self.by_count, self.by_letters in met:
            self.by += 1
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
        cdef Sight* name
        cdef Py_ssize_t n
        for n in range(many):
            if n + AHEAD < many:
                fetch(&self.names[numbers[n + AHEAD]])
            name = &self.names[numbers[n]]
            if name.now != self.now:
                name.now, name.weight, name.letters, name.count = self.now, 0, 0, 0
                self.met[self.found] = numbers[n]
                self.found += 1
            elif name.by == self.by:
                continue
            name.by = self.by
            name.weight += self.by_weight
            name.count += self.by_count
            name.letters += self.by_letters

    cdef int gain(self, tuple gains, set misread, store, float* weights) except -1:
        """Takes in what words may gain, of each the best, and which of the others may be legal ones misread: see retrieve."""
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
        for word in misread:
            if self.words[word].now != self.now:
                self.words[word] = Place(self.now, MISREAD)
        return 0

    cdef void _gain(self, uint32_t word, double agree, double whole, double lost, uint32_t bits, int slips) noexcept:
        cdef Gain* gain
        if self.words[word].now != self.now:
            self.words[word] = Place(self.now, self.many)
            self.gains[self.many] = Gain(agree, whole, lost, bits, slips)
            self.many += 1
            return
        gain = &self.gains[self.words[word].at]
        gain.agree, gain.whole, gain.lost = max(gain.agree, agree), max(gain.whole, whole), min(gain.lost, lost)
        gain.covers |= bits
        gain.slips = max(gain.slips, slips)
