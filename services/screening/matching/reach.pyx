# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: which of the names that share something with one asked may reach a score. Each is bounded from above by what is known of it, first by little,
then word by word, last by how alike the two are as wholes: never below what `compare` would find."""

from cpython cimport array
from libc.stdint cimport uint16_t, uint32_t

from services.screening.matching.bounds cimport MOST_BOTH, Bound, bits, likest
from services.screening.matching.edits cimport MOST, alphabet_of, distance, spell, spell_name
from services.screening.matching.names cimport Name, Names, fetch
from services.screening.matching.seen cimport AHEAD, MISREAD, Gain, Seen, Sight

from services.screening.matching.features import SORTED_LESS

cpdef enum:
    BITS = 16  # distinct words of a name that are told apart; the rest counts as covered

cdef enum:
    NO_HIT = 100  # more than misspelling can take

cdef double EPSILON = 1e-3  # weights are kept in single precision
cdef double _SORTED_LESS = SORTED_LESS


cdef class Question:
    """A name asked: its distinct words with what they weigh, and how it is spelt.

    `weights`: of each distinct telling word (as often as it stands there, once); `misread`: those of them that may be legal words of others, and which.
    """

    cdef double[BITS] own
    cdef double[BITS] single
    cdef double total, rarest, misread_weight
    cdef int distinct, many, misread_words, misread_rest
    cdef dict misread  # by the number of a legal word: bits of the words that may be it
    cdef tuple forms
    cdef Py_UCS4[MOST] core
    cdef Py_UCS4[MOST] full
    cdef Py_UCS4[MOST] core_sorted
    cdef Py_UCS4[MOST] full_sorted
    cdef int core_size, full_size
    cdef uint32_t core_alphabet, full_alphabet

    def __init__(self, name, dict weights, dict misread):
        cdef int n
        cdef double own, once
        self.distinct, self.many, self.forms = len(weights), len(name.words), name.forms
        self.total = self.rarest = self.misread_weight = 0
        self.misread_words = self.misread_rest = 0
        self.misread = {}
        for n, (word, (own, once)) in enumerate(weights.items()):
            if n < BITS:
                self.own[n], self.single[n] = own, once
                self.total += own
                self.rarest = max(self.rarest, once)
            if word in misread:
                self.misread_words += 1
                self.misread_weight += own
                self.misread_rest += n >= BITS
                for legal in misread[word]:
                    self.misread[legal] = self.misread.get(legal, 0) | (1 << n if n < BITS else 0)
        self.core_size, self.full_size = _spell_all(name.words, self.core), _spell_all(name.tokens, self.full)
        _spell_all(sorted(name.words), self.core_sorted)
        _spell_all(sorted(name.tokens), self.full_sorted)
        self.core_alphabet, self.full_alphabet = alphabet_of(self.core, self.core_size), alphabet_of(self.full, self.full_size)


cdef int _spell_all(words, Py_UCS4* letters):
    cdef int at = 0
    for word in words:
        at = spell(<str>word, letters, at)
    return at


def reaching(Question asked, list met, rest, shelf, Bound bound, double floor, bint persons, gains):
    """(numbers of names that may reach the log odds `floor`, how many were met). `met`: names met together, `rest`: words by which nobody was looked up,
    that may stand in any name (see retrieve.Met); `gains()`: what words may gain, and which words may be misread legal ones of the name asked."""
    # Nothing comes or goes while we look, so the arrays stay where they are.
    cdef Seen seen = shelf.seen
    store = shelf.store
    cdef Names names = store.names
    cdef const Name* name
    cdef const uint16_t* lengths = (<array.array>store.lengths).data.as_ushorts
    cdef list vocabulary = store.vocabulary, form_sets = store.form_sets
    cdef float[::1] weighed = store.weights()
    cdef float* weights = &weighed[0]
    cdef double rest_weight = rest[2], agree, left, theirs, odds, left_sum, left_most, whole, least, every, bare_sum, bare_most, core, full, known
    cdef int rest_count = rest[3], rest_letters = rest[4], n, i, left_words, words, others, telling, slips, bare, total
    cdef uint32_t number, word, code, covers, slipped
    cdef const uint32_t* coded
    cdef int again = asked.many - asked.distinct  # words that stand there once more
    cdef double all_agree = bound.legal_agree * len(asked.forms)
    cdef bint gained = False, lone, initial
    cdef Gain* gain
    cdef const Sight* sight
    cdef list found = []
    floor -= EPSILON
    seen.begin(names.many, len(vocabulary))
    total = seen.meet(met, shelf.postings)
    for i in range(total):
        if i + AHEAD < total:
            fetch(&names.names[seen.met[i + AHEAD]])
            fetch(&seen.names[seen.met[i + AHEAD]])
            fetch(&names.words[names.names[seen.met[i + AHEAD // 2]].start])
        number = seen.met[i]
        name, sight = &names.names[number], &seen.names[number]
        agree = min(sight.weight + rest_weight, asked.total)
        left, left_words = asked.total - agree, asked.distinct - <int>sight.count - rest_count
        if name.letters > name.core_letters:  # some of these may be its legal words, misread
            left, left_words = left - asked.misread_weight, left_words - asked.misread_words
        left, left_words = max(0.0, left), max(0, left_words)
        words = min(left_words, name.core_letters > sight.letters + rest_letters)
        core = likest(name.core_letters, name.core_alphabet, asked.core_size, asked.core_alphabet, words)
        full = max(core, likest(name.letters, name.alphabet, asked.full_size, asked.full_alphabet, words))
        if not persons and bound.of(
            agree, asked.rarest, words, left, 0, left / max(left_words + again, 1), 0, core, full, all_agree, asked.many == 1
        ) < floor:
            continue  # of persons initials may stand for any word
        if not gained:
            seen.gain(gains(), store, weights)
            gained = True
        coded = names.words + name.start
        agree = whole = left_sum = left_most = every = 0
        least = NO_HIT
        covers = slipped = others = telling = slips = initial = 0
        for n in range(name.size):
            code = coded[n]
            word = code >> 1
            if code & 1:
                if asked.misread_words:
                    slipped |= <uint32_t>asked.misread.get(word, 0)
                continue
            telling += 1
            if persons and lengths[word] == 1:  # may stand for whatever begins with it
                initial = True
                break
            theirs = weights[word]
            if theirs != theirs:
                theirs = store.weigh(word)
            if not seen.has(word):
                left_sum += theirs
                left_most = max(left_most, theirs)
                others += 1
            elif seen.places[word] == MISREAD:
                slips += 1
            else:
                gain = &seen.gains[seen.places[word]]
                agree += gain.agree
                whole, least = max(whole, gain.whole), min(least, gain.lost)
                covers |= gain.covers
                slips += gain.slips
                # It is left out, or misspelt.
                every += min(min(bound.blocks, -bound.left_out * theirs), bound.fuzzy * gain.lost)
        if initial:
            found.append(number)
            continue
        covers |= slipped
        slips += bits(slipped) + asked.misread_rest
        bare, bare_sum, bare_most = 0, 0, 0
        for n in range(min(asked.distinct, BITS)):
            if not covers >> n & 1 and asked.own[n] > 0:
                bare += 1
                bare_sum += asked.own[n]
                bare_most = max(bare_most, asked.single[n])
        words, lone = min(bare, others, <int>MOST_BOTH), asked.many == 1 or telling == 1
        core = likest(name.core_letters, name.core_alphabet, asked.core_size, asked.core_alphabet, words)
        full = max(core, likest(name.letters, name.alphabet, asked.full_size, asked.full_alphabet, words))
        known = bound.few * min(telling, asked.many, 4) - bound.few_best
        if lone and least < NO_HIT:
            every = max(every, least * (bound.fuzzy + bound.lone_loss))
        known -= every
        agree = min(agree, asked.total)
        odds = bound.of(agree, whole, words, bare_sum, left_sum, bare_most, left_most, core, full, known + all_agree, lone)
        if odds < floor:
            continue
        known += bound.forms(asked.forms, <tuple>form_sets[name.forms], min(slips, 3), lone)
        odds = bound.of(agree, whole, words, bare_sum, left_sum, bare_most, left_most, core, full, known, lone)
        if odds >= floor and _alike(asked, coded, name.size, vocabulary, bound, odds - floor, core, full):
            found.append(number)
    return found, total


cdef bint _alike(Question asked, const uint32_t* coded, int size, list vocabulary, Bound bound, double slack, double core, double full):
    """Are the names, written as one, so much alike that the log odds fall by no more than `slack` below what these likenesses promised? See
    features._whole; no more edits are counted than that allows."""
    cdef Py_UCS4[MOST] core_letters
    cdef Py_UCS4[MOST] sorted_letters
    cdef Py_UCS4[MOST] letters
    cdef double least_core = core - slack / bound.core if bound.core > 0 else 0
    cdef double least_full = full - slack / bound.full if bound.full > 0 else 0
    cdef int n, many
    if least_core <= 0 and least_full <= 0:
        return True
    many = spell_name(coded, size, vocabulary, True, core_letters)
    words = [vocabulary[coded[n] >> 1] for n in range(size)]
    _spell_all(sorted([vocabulary[coded[n] >> 1] for n in range(size) if not coded[n] & 1]), sorted_letters)
    if many == MOST or asked.full_size == MOST:
        return True  # cut off: not all of it is seen
    if least_core > 0 and not (
        _near(asked.core, asked.core_size, core_letters, many, least_core)
        or _near(asked.core_sorted, asked.core_size, sorted_letters, many, least_core + _SORTED_LESS)
    ):
        return False
    return (
        least_full <= 0
        or _near(asked.core, asked.core_size, core_letters, many, least_full)
        or _near(asked.core_sorted, asked.core_size, sorted_letters, many, least_full + _SORTED_LESS)
        or _near(asked.full, asked.full_size, letters, _spell_all(words, letters), least_full)
        or _near(asked.full_sorted, asked.full_size, letters, _spell_all(sorted(words), letters), least_full + _SORTED_LESS)
    )


cdef bint _near(const Py_UCS4* a, int n, const Py_UCS4* b, int m, double least) noexcept nogil:
    """Are they at least so much alike?"""
    cdef int longest = max(n, m, 1)
    cdef int limit = <int>((1 - least) * longest + 1e-6)
    return least <= 1 and distance(a, n, b, m, limit) <= limit
