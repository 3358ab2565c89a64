# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: what the words of a name asked may stand for on a shelf: exact, misspelt, joined or split, misread legal words; remembered by word."""

from cpython cimport array

from services.screening.matching.edits cimport near_which
from services.screening.matching.postings cimport Postings
from services.screening.matching.seen cimport Seen

from services.screening.matching.edits import likeness, signature
from services.screening.matching.settings import TWICE_SIMILARITY, edit_limit
from services.screening.matching.wordforms import other_numbers

cdef enum:
    MEMO_WORDS = 65_536  # words of which something is remembered before all are forgotten
    MOST_EDITS = 2  # between words, as far as neighbourhoods reach

LONG_EDITS = 3  # between long words
_LONGER = next(n for n in range(99) if edit_limit(n) == LONG_EDITS)  # letters of words that are forgiven so many
LONG = _LONGER - LONG_EDITS  # letters of words that may be so far from one of these
cdef bytes _FORGIVEN = bytes(edit_limit(n) for n in range(256))  # edits, by the letters of the longer word
cdef bytes _MOST_FORGIVEN = bytes(min(MOST_EDITS, max(edit_limit(n), int((1 - TWICE_SIMILARITY) * n))) for n in range(256))


cdef class Partners:
    """What a word may stand for: words here and how alike they are; pairs of words that it joins (a legal word among them: None), and names with both
    words of each; names there are with any of these, at most."""

    def __init__(self, array.array words, array.array alike, list pairs, list joining, Py_ssize_t many):
        self.words, self.alike, self.pairs, self.joining, self.many = words, alike, pairs, joining, many


cdef class Words:
    """Of one shelf, whose `store` and `postings` these are. `counted`: the corpus counts the names put there, so that it knows each of their words.
    `near`, `far`: its words by what they may be misspelt for, up to two edits and beyond. `changes`: of its names."""

    def __init__(self, corpus, store, Postings postings, near, far, *, bint counted):
        self._corpus, self._counted, self.weight = corpus, counted, corpus.weight
        self.store, self.postings, self.seen = store, postings, Seen()
        self._numbers, self._vocabulary = store.words, store.vocabulary
        self._near, self._far = near, far
        self.changes = 0
        self._partners, self._partners_of = {}, ()
        self._nearby, self._misreadings, self._nearby_of = {}, {}, ()
        self._near_legal, self._near_legal_of = {}, -1
        self._legal, self._legal_spelt, self._legal_signatures = {}, [], array.array("Q")

    cdef Partners partners(self, str word):
        """What it may stand for, remembered."""
        found = self._partners.get(word)
        if found is None:
            found = self._partners[word] = self._find_partners(word)
        return <Partners>found

    cdef list joins(self, name):
        """Two words of the name, or three that follow each other, legal ones among them, and the word here, maybe a legal one, that they make when written
        as one."""
        cdef tuple tokens = name.tokens
        cdef Py_ssize_t many = len(tokens), first, second
        cdef set legal = self.store.legal
        cdef list parts = [], found = []
        for first in range(many):
            for second in range(many):
                if first != second:
                    parts.append((tokens[first], tokens[second]))
        for first in range(many - 2):
            parts.append(tokens[first : first + 3])
        for part in parts:
            at = self._numbers.get("".join(part))
            if at is not None and (at in legal or self.postings.count(at)):
                found.append((part, at))
        return found

    cpdef Py_ssize_t frequency(self, str word) except -1:
        """Names that bear it."""
        at = self._numbers.get(word)
        return 0 if at is None else self.postings.count(at)

    cdef set misreadings(self, name):
        """Words here that may be a legal one of the name, or several written as one, misread: the same as a telling word, near to it, or two that make it."""
        cdef tuple legal = _legal_words(name)
        cdef set known
        self._forget_nearby()
        found = self._misreadings.get(legal)
        if found is None:
            known = set()
            for word in legal:
                known.update(self._near_words(word)[0])
                at = self._numbers.get(word)
                if at is not None:
                    known.add(at)
                for pair in self._parted(word):
                    known.update(pair)
            found = self._misreadings[legal] = known
        return <set>found

    cdef dict may_be_legal(self, tuple words):
        """Those of the words that may be legal words of names here, and which: the same, several written as one, or near to one and otherwise unknown."""
        cdef set legal = self.store.legal
        cdef dict found = {}
        cdef str word
        if self._near_legal_of != len(legal) or len(self._near_legal) >= MEMO_WORDS:
            self._near_legal, self._near_legal_of = {}, len(legal)
            self._legal = {self._vocabulary[at]: at for at in sorted(legal)}
            self._legal_spelt = list(self._legal)
            self._legal_signatures = array.array("Q", map(signature, self._legal_spelt))
        for word in words:
            known = self._near_legal.get(word)
            if known is None:
                known = self._near_legal[word] = self._as_legal(word)
            if (<tuple>known)[1] and (which := (<tuple>known)[not self._corpus.knows(word)]):
                found[word] = which
        return found

    cdef tuple _as_legal(self, str word):
        """Legal words that it is, or two that it is written as one; and these with those that it is near to."""
        cdef dict legal = self._legal
        cdef set same = set()
        cdef Py_ssize_t cut
        own = legal.get(word)
        if own is not None:
            same.add(own)
        for cut in range(1, len(word)):
            first = legal.get(word[:cut])
            if first is not None and (second := legal.get(word[cut:])) is not None:
                same |= {first, second}
        return same, same.union([legal[self._legal_spelt[place]] for place in near_which(word, self._legal_spelt, self._legal_signatures, _FORGIVEN)])

    cdef bint _settled(self, str word) except -1:
        """Whether no word here may be a misspelling of it, since the corpus knows both; its plural may."""
        return self._counted and self._corpus.knows(word)

    cdef tuple _near_words(self, str word):
        """Other words here that it may be misspelt for, and how alike they are."""
        self._forget_nearby()
        found = self._nearby.get(word)
        if found is None:
            found = self._nearby[word] = (array.array("I"), array.array("d")) if self._settled(word) else self._find_near(word)
            if self._corpus.knows(word):
                self._add_other_numbers(word, found[0], found[1])
        return <tuple>found

    cdef int _add_other_numbers(self, str word, array.array numbers, array.array likenesses) except -1:
        """Its plural or singular here, where both are known: else it is near in any case."""
        for other in other_numbers(word):
            at = self._numbers.get(other)
            if at is not None and self._corpus.knows(other):
                numbers.append(at)
                likenesses.append(1 - 1 / <double>max(len(word), len(<str>other)))
        return 0

    cdef tuple _find_near(self, str word):
        knows = self._corpus.knows
        cdef bint known = knows(word)
        cdef array.array numbers, likenesses
        numbers, likenesses = self._near.near(word, _MOST_FORGIVEN, self._corpus.known() if known else ())
        if len(word) >= LONG:
            # Further than neighbourhoods reach: one of the two must be long enough to be forgiven so many edits.
            for number, edits in self._far.near(word, least=LONG if len(word) >= _LONGER else _LONGER).items():
                if edits > MOST_EDITS and not (known and knows(self._vocabulary[number])):
                    alike = likeness(word, self._vocabulary[number], edits)
                    if alike:
                        numbers.append(number)
                        likenesses.append(alike)
        return numbers, likenesses

    cdef int _forget_nearby(self) except -1:
        cdef tuple version = (len(self._vocabulary), self._corpus.forgotten)
        if self._nearby_of != version or len(self._nearby) >= MEMO_WORDS or len(self._misreadings) >= MEMO_WORDS:
            self._nearby, self._misreadings, self._nearby_of = {}, {}, version
        return 0

    cdef int forget_old(self) except -1:
        """What was remembered of words before names came or went, or the corpus changed."""
        cdef tuple version = (self.changes, self._corpus.version)
        if self._partners_of != version or len(self._partners) >= MEMO_WORDS:
            self._partners, self._partners_of = {}, version
        return 0

    cdef list _parted(self, str word):
        """Words here, by two, that are the word where they are written as one."""
        cdef list found = []
        cdef Py_ssize_t cut
        for cut in range(1, len(word)):
            first = self._numbers.get(word[:cut])
            if first is not None and (second := self._numbers.get(word[cut:])) is not None:
                found.append((first, second))
        return found

    cdef Partners _find_partners(self, str word):
        cdef set legal = self.store.legal
        cdef list pairs = [], both = []
        at = self._numbers.get(word)
        numbers, alike, many = self.postings.borne(-1 if at is None else at, *self._near_words(word))
        for first, second in self._parted(word):
            if self.postings.count(first) and self.postings.count(second):
                pairs.append((first, second))
            if self.postings.count(first) and second in legal:  # a legal word glued to it
                pairs.append((first, None))
            if self.postings.count(second) and first in legal:
                pairs.append((second, None))
        for first, second in pairs:
            both.append(self.postings.both(first, first if second is None else second))
        return Partners(numbers, alike, pairs, both, many + sum(map(len, both)))


cdef tuple _legal_words(name):
    """Its legal words, and adjacent ones written as one."""
    cdef tuple tokens = name.tokens, legal = name.legal
    cdef set found = set()
    cdef Py_ssize_t size, at
    for size in (1, 2, 3):
        for at in range(len(tokens) - size + 1):
            if all(legal[at : at + size]):
                found.add("".join(tokens[at : at + size]))
    return tuple(sorted(found))
