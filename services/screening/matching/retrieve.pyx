# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: which names may reach a score beside one asked.

A name met shares a word, or what a word may stand for, with the name asked. What its words could contribute at best bounds its score; no cap drops a
name that could reach the floor.
"""

from heapq import heapify, heappop, heappush

from cpython cimport array

from services.screening.matching.bounds cimport APART, SHORTEST_WHOLE, Bound, shortness
from services.screening.matching.partners cimport Partners, Words
from services.screening.matching.postings cimport Postings
from services.screening.matching.question cimport BITS, Question
from services.screening.matching.reach cimport reaching

cdef enum:
    LONGER = 3  # letters by which a word may be longer than the one that it stands for


def candidates(list wanted, Words here):
    """Of each name wanted: (numbers of the names that may reach its floor, but those that are the same within two edits as wholes; how many were looked
    at for that). `here`: the words of the names on a shelf. Step by step for all of them (ADR 0023)."""
    cdef list asked, met
    asked = [_Asked(one, here) for one in wanted]
    met = [_met(one, here) for one in asked]
    return [_reaching(one, found, rest, here) if found else ([], 0) for one, (found, rest) in zip(asked, met)]


cdef class _Asked:
    """A name wanted: its words with their weights, all together and each; those that may be legal ones here, and which; words written as one."""

    cdef object name
    cdef dict weights, misread
    cdef list joins
    cdef Bound bound
    cdef double floor
    cdef bint persons

    def __init__(self, wanted, Words here):
        cdef str word
        cdef double one
        cdef dict weights = {}
        cdef set legal = here.store.legal
        weigh = here.weight
        self.name, self.floor, self.persons, self.bound = wanted.asked, wanted.floor, wanted.persons, wanted.model.bound
        self.joins = here.joins(self.name)
        for word in <tuple>self.name.words:  # as often as it stands there, once
            one = weigh(word)
            weights[word] = (<double>(<tuple>weights[word])[0] + one, one) if word in weights else (one, one)
        self.weights = weights
        self.misread = here.may_be_legal(self.name.words)
        for part, joined in self.joins:
            if joined in legal:
                self.misread |= {word: self.misread.get(word, set()) | {joined} for word in part if word in weights}


cdef tuple _reaching(_Asked one, list met, int rest, Words here):
    here.forget_old()
    gains = lambda: (_gains(one.weights, one.joins, here), here.misreadings(one.name))
    return reaching(Question(one.name, one.weights, one.misread), met, rest, here, one.bound, one.floor, one.persons, gains)


cdef tuple _met(_Asked one, Words here):
    """(Names that share something with this one, words with the fewest names first: once what remains could not carry a name to the floor that has none
    of the words looked up so far, the frequent words need no look; of all words that a name may have without being met by them, the most letters).

    Those met together: (words they have one of, sorted numbers of others, the most letters of what may stand for the word or words looked up, as often as
    these stand in the name asked; of a name that has none of the words before: how alike as wholes the two must be, if it has no words but these and those
    behind, and if it has others)."""
    name = one.name
    cdef tuple words = name.words, tokens = name.tokens, of_form = name.legal
    cdef Bound bound = one.bound
    cdef double floor = one.floor
    cdef bint persons = one.persons
    cdef Postings postings = here.postings
    cdef Partners partners
    cdef str word
    cdef list found = [], waiting = [], legal = []
    cdef Py_ssize_t place
    cdef int letters = 0, forms = len(name.forms), others = 0, many, apart, rest = 0, n
    cdef double lone, alike, best, weight, may_agree = 0, missed = 0, worst = 0, needed, needed_beside
    cdef dict left = {}
    here.forget_old()
    for word in words:
        letters += <int>len(word)
    lone = shortness(<int>len(<str>words[0])) if len(words) == 1 else 0.0
    for part, joined in one.joins:
        if postings.count(joined):
            found.append((array.array("I", [joined]), (), sum([len(word) + LONGER for word in part]), 0.0, 0.0))
    apart = APART if letters >= SHORTEST_WHOLE + APART - 1 else 1  # a shorter name within that distance is not found as a whole
    alike = 1 - apart / <double>(letters + apart)
    # A word's place is the number of its own names, until it comes up and those of its partners are known.
    for word, of_word in one.weights.items():
        weight = (<tuple>of_word)[0]
        may_agree += weight
        left[word] = weight
        waiting.append((here.frequency(word), word))
    heapify(waiting)
    while waiting:
        best = 0
        for weight in left.values():
            best = max(best, weight)
        if bound.at_best(may_agree, best, missed, worst, forms, alike if missed else 1.0) < floor:
            break
        place, word = heappop(waiting)
        partners = here.partners(word)
        if partners.many > place:
            heappush(waiting, (partners.many, word))
            continue
        needed = needed_beside = 0
        if missed and not persons:
            needed = bound.needed(floor, may_agree, best, missed, worst, 0, forms, lone)
            needed_beside = bound.needed(floor, may_agree, best, missed, worst, min(others, 1), forms, lone)
        many = words.count(word)
        if len(partners.words) or partners.joining:
            found.append((partners.words, partners.joining, many * (<int>len(word) + LONGER), needed, needed_beside))
        weight = left.pop(word)
        may_agree -= weight
        if not (persons and len(word) == 1) and word not in one.misread:
            missed, worst, others = missed + weight, max(worst, weight / many), others + 1
    # Any word of theirs may be a legal one of this name, misread, or several of them.
    for n in range(len(tokens)):
        if of_form[n]:
            legal.append(tokens[n])
    for word in (*words, *legal):
        if word in left or word in legal:
            rest += <int>len(word) + LONGER
    return found, rest


cdef tuple _gains(dict weights, list joins, Words here):
    """What words here may gain beside a name asked. Words that each may stand for one of its words: (which bit that is, its weight, words, how alike they
    are); words that are part of what agrees: (word, weight that may agree, weight of the pair it may be part of, bits of the words asked that it may stand
    for, is a legal word written as one with it)."""
    cdef list vocabulary = here.store.vocabulary, wholes = [], parts = []
    cdef dict places = {}
    cdef Partners partners
    cdef str word
    cdef double own, own_weight, theirs, whole
    cdef int n
    weigh = here.weight
    for n, word in enumerate(weights):
        places[word] = 1 << n if n < BITS else 0
    for joined_of, joined in joins:
        telling = {word for word in joined_of if word in weights}
        own = sum([weights[word][0] for word in joined_of if word in weights])
        if telling:
            parts.append((joined, own, own, sum([places[word] for word in telling]), len(telling) < len(set(joined_of))))
    for word, of_word in weights.items():
        own_weight = (<tuple>of_word)[0]
        partners = here.partners(word)
        if len(partners.words):
            wholes.append((places[word], own_weight, partners.words, partners.alike))
        for pair in partners.pairs:
            weighed = [(part, weigh(vocabulary[part])) for part in pair if part is not None]
            theirs = sum([its for _, its in weighed])
            whole = min(own_weight, theirs)
            for part, its in weighed:
                parts.append((part, its / theirs * whole, whole, places[word], None in pair))
    return wholes, parts
