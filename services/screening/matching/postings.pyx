# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: which names bear a word: most words are borne by one name, and cost eight bytes."""

from cpython cimport array
from libc.stdint cimport uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memmove

from services.screening.matching.memory cimport grown
from services.screening.matching.names cimport fetch

cdef uint32_t NEVER = 0xFFFFFFFF
cdef array.array _NUMBERS = array.array("I")


cdef class Postings:
    """Numbers of names by number of a word, sorted. A word that was never added is none that tells names apart."""

    def __cinit__(self):
        self.words, self.several = NULL, NULL
        self.many = self.words_room = self.places = self.places_room = 0
        self.free = []

    def __dealloc__(self):
        cdef Py_ssize_t place
        for place in range(self.places):
            free(self.several[place].numbers)
        free(self.several)
        free(self.words)

    cdef int _grow(self, Py_ssize_t words, Py_ssize_t places) except -1:
        if words > self.words_room:
            words += words >> 1
            self.words = <Borne*>grown(self.words, self.many * sizeof(Borne), words * sizeof(Borne))
            self.words_room = words
        if places > self.places_room:
            places += places >> 1
            self.several = <Several*>grown(self.several, self.places * sizeof(Several), places * sizeof(Several))
            self.places_room = places
        return 0

    cdef int _hold(self, Py_ssize_t word, uint32_t room) except -1:
        """Gives a word of several names room for so many; what it held before is kept."""
        cdef Several* several = &self.several[self.words[word].at]
        several.numbers = <uint32_t*>grown(several.numbers, several.room * sizeof(uint32_t), room * sizeof(uint32_t))
        several.room = room
        return 0

    cdef int _part(self, Py_ssize_t word, uint32_t room) except -1:
        """A word that one name bore, or none, gets a place among those of several."""
        cdef uint32_t place
        if self.free:
            place = self.free.pop()
        else:
            self._grow(0, self.places + 1)
            place = self.places
            self.places += 1
        self.several[place] = Several(NULL, 0)
        self.words[word].at = place
        return self._hold(word, room)

    def add(self, Py_ssize_t word, uint32_t name):
        """The name bears the word; is it the first that ever did?"""
        cdef uint32_t count, one
        cdef Several* several
        cdef Py_ssize_t at
        self._grow(word + 1, 0)
        while self.many <= word:
            self.words[self.many] = Borne(NEVER, 0)
            self.many += 1
        count = self.words[word].count
        if count == 0 or count == NEVER:
            self.words[word] = Borne(1, name)
            return count == NEVER
        if count == 1:
            one = self.words[word].at
            self._part(word, 2)
            self.several[self.words[word].at].numbers[0] = one
        several = &self.several[self.words[word].at]
        if count == several.room:
            self._hold(word, count + (count >> 1) + 1)
        at = count if several.numbers[count - 1] < name else _before(several.numbers, count, name)
        memmove(several.numbers + at + 1, several.numbers + at, (count - at) * sizeof(uint32_t))
        several.numbers[at] = name
        self.words[word].count = count + 1
        return False

    def discard(self, Py_ssize_t word, uint32_t name):
        """The name, which bore it, no longer does; KeyError where it did not."""
        cdef Borne* borne
        cdef Several* several
        cdef uint32_t place
        cdef Py_ssize_t at
        if not self.count(word):
            raise KeyError(name)
        borne = &self.words[word]
        place = borne.at
        if borne.count == 1 and place != name:
            raise KeyError(name)
        if borne.count > 1:
            several = &self.several[place]
            at = _before(several.numbers, borne.count, name)
            if at == borne.count or several.numbers[at] != name:
                raise KeyError(name)
            memmove(several.numbers + at, several.numbers + at + 1, (borne.count - at - 1) * sizeof(uint32_t))
            if borne.count == 2:
                borne.at = several.numbers[0]
                free(several.numbers)
                several.numbers = NULL
                self.free.append(place)
        borne.count -= 1

    cpdef bint tells(self, Py_ssize_t word):
        """Has it ever told names apart? Else it is only ever part of a legal form."""
        return word < self.many and self.words[word].count != NEVER

    cpdef uint32_t count(self, Py_ssize_t word):
        """How many names bear it."""
        return self.words[word].count if self.tells(word) else 0

    def borne(self, Py_ssize_t own, array.array near, array.array likenesses):
        """Of a word, which may be none (-1), and those near to it the ones that any name bears: (words, how alike they are, names that bear each, summed up)."""
        cdef Py_ssize_t n, many = len(near), found = 0
        cdef uint32_t word, count, names = 0
        cdef array.array words = array.clone(_NUMBERS, many + 1, False), alike = array.clone(likenesses, many + 1, False)
        if own >= 0:
            names = self.count(own)
            words.data.as_uints[0], alike.data.as_doubles[0] = own, 1
            found += names > 0
        for n in range(many):
            if near.data.as_uints[n] < self.many:
                fetch(&self.words[near.data.as_uints[n]])
        for n in range(many):
            word = near.data.as_uints[n]
            count = self.count(word)
            if count:
                words.data.as_uints[found], alike.data.as_doubles[found] = word, likenesses.data.as_doubles[n]
                names += count
                found += 1
        array.resize(words, found)
        array.resize(alike, found)
        return words, alike, names

    def numbers(self, Py_ssize_t word):
        """A copy, for names may come."""
        cdef Py_ssize_t many, n
        cdef const uint32_t* of
        if not self.tells(word):
            return []
        of = self.of(word, &many)
        return [of[n] for n in range(many)]

    def both(self, Py_ssize_t one, Py_ssize_t other):
        """Names that bear both words, which some bear: sorted, a copy."""
        cdef Py_ssize_t many, more, n, low = 0, step
        cdef const uint32_t* few = self.of(one, &many)
        cdef const uint32_t* lot = self.of(other, &more)
        cdef array.array found = array.clone(_NUMBERS, 0, False)
        if more < many:
            few, lot, many, more = lot, few, more, many
        for n in range(many):
            step = 1  # each stands behind the last one: how far is tried in ever longer steps
            while low + step < more and lot[low + step] < few[n]:
                low, step = low + step, step * 2
            low += _before(lot + low, min(step + 1, more - low), few[n])
            if low < more and lot[low] == few[n]:
                found.append(few[n])
        return found

    def state(self):
        """All of it, for `restore`: arrays as bytes, the names of words that several bear one after the other."""
        cdef Py_ssize_t word
        cdef list numbers = []
        for word in range(self.many):
            if self.count(word) > 1:
                numbers.append((<char*>self.several[self.words[word].at].numbers)[: self.words[word].count * sizeof(uint32_t)])
        return (<char*>self.words)[: self.many * sizeof(Borne)], b"".join(numbers)

    def restore(self, bytes words, bytes numbers):
        """Makes this, which is empty, what another one was."""
        cdef Py_ssize_t word
        cdef const uint32_t* at = <uint32_t*><char*>numbers
        cdef uint32_t count
        self._grow(len(words) // sizeof(Borne), 0)
        self.many = len(words) // sizeof(Borne)
        memcpy(self.words, <char*>words, len(words))
        for word in range(self.many):
            count = self.count(word)
            if count > 1:
                self._part(word, count)
                memcpy(self.several[self.words[word].at].numbers, at, count * sizeof(uint32_t))
                at += count


cdef Py_ssize_t _before(const uint32_t* numbers, Py_ssize_t many, uint32_t number) noexcept nogil:
    """How many of the numbers, which are sorted, are less."""
    cdef Py_ssize_t low = 0, middle
    while low < many:
        middle = (low + many) >> 1
        if numbers[middle] < number:
            low = middle + 1
        else:
            many = middle
    return low
