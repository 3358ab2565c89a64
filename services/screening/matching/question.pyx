# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: a name asked, as those are held against it that share something with it."""

from services.screening.matching.edits cimport signature_of, spell


cdef class Question:
    """A name asked: its distinct words with what they weigh, and how it is spelt.

    `weights`: of each distinct telling word (as often as it stands there, once); `misread`: those of them that may be legal words of others, and which.
    """

    def __init__(self, name, dict weights, dict misread):
        cdef int n
        cdef double own, once
        self.distinct, self.many, self.forms = len(weights), len(name.words), name.forms
        self.total = 0
        self.misread_words = self.misread_rest = 0
        self.misread = {}
        for n, (word, (own, once)) in enumerate(weights.items()):
            if n < BITS:
                self.own[n], self.single[n] = own, once
                self.total += own
            if word in misread:
                self.misread_words += 1
                self.misread_rest += n >= BITS
                for legal in misread[word]:
                    self.misread[legal] = self.misread.get(legal, 0) | (1 << n if n < BITS else 0)
        self.core_size, self.full_size = spell_all(name.words, self.core), spell_all(name.tokens, self.full)
        spell_all(sorted(name.words), self.core_sorted)
        spell_all(sorted(name.tokens), self.full_sorted)
        self.core_signature, self.full_signature = signature_of(self.core, self.core_size), signature_of(self.full, self.full_size)


cdef int spell_all(words, Py_UCS4* letters):
    """Writes them as one; so many letters they are."""
    cdef int at = 0
    for word in words:
        at = spell(<str>word, letters, at)
    return at
