# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: which of the names that share something with one asked may reach a score. Each is bounded from above by what is known of it, first by little,
then word by word, last by how alike the two are as wholes: never below what `compare` would find."""

from cpython cimport array
from libc.stdint cimport uint16_t, uint32_t

from services.screening.matching.bounds cimport MOST_BOTH, Bound, likest, shortness
from services.screening.matching.edits cimport MOST, bits, distance, spell_name
from services.screening.matching.meet cimport meet
from services.screening.matching.names cimport Name, Names, fetch
from services.screening.matching.partners cimport Words
from services.screening.matching.question cimport BITS, Question, spell_all
from services.screening.matching.seen cimport AHEAD, MISREAD, Gain, Seen

from services.screening.matching.features import SORTED_LESS

cdef enum:
    NO_HIT = 100  # more than misspelling can take

cdef double EPSILON = 1e-3  # weights are kept in single precision
cdef double _SORTED_LESS = SORTED_LESS


cdef tuple reaching(Question asked, list met, int rest, Words here, Bound bound, double floor, bint persons, gains):
    """(numbers of names that may reach the log odds `floor`, how many were met). `met`: names met together; `rest`: letters of words by which
    nobody was looked up, that may stand in any name (see retrieve); `gains()`: what words may gain, and which words may be misread legal ones of the name asked."""
    # Nothing comes or goes while we look, so the arrays stay where they are.
    cdef Seen seen = here.seen
    store = here.store
    cdef Names names = store.names
    cdef const Name* name
    cdef const uint16_t* lengths = (<array.array>store.lengths).data.as_ushorts
    cdef list vocabulary = store.vocabulary, form_sets = store.form_sets
    cdef float[::1] weighed = store.weights()
    cdef float* weights = &weighed[0]
    cdef double agree, theirs, odds, left_sum, left_most, whole, least, every, bare_sum, bare_most, core, full, known
    cdef int n, i, words, others, telling, slips, bare, total
    cdef uint32_t number, word, code, covers, slipped
    cdef const uint32_t* coded
    cdef double all_agree = bound.legal_agree * len(asked.forms)
    cdef bint initial
    cdef double lone
    cdef Gain* gain
    cdef list found = []
    floor -= EPSILON
    seen.begin(names.many, len(vocabulary))
    total = meet(met, rest, asked, seen, here.postings, names)
    if total:
        seen.gain(gains(), store, weights)
    for i in range(total):
        if i + AHEAD < total:
            fetch(&names.names[seen.met[i + AHEAD]])
            name = &names.names[seen.met[i + AHEAD // 2]]
            coded = names.words(name)
            for n in range(name.size):
                fetch(&weights[coded[n] >> 1])
        number = seen.met[i]
        name = &names.names[number]
        coded = names.words(name)
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
        words = min(bare, others, <int>MOST_BOTH)
        lone = max(shortness(asked.core_size) if asked.many == 1 else 0, shortness(name.core_letters) if telling == 1 else 0)
        known = bound.few * min(telling, asked.many, 4) - bound.few_best
        if (asked.many == 1 or telling == 1) and least < NO_HIT:
            every = max(every, least * (bound.fuzzy + bound.lone_loss * lone))
        known -= every
        agree = min(agree, asked.total)
        if bound.of(agree, whole, words, bare_sum, left_sum, bare_most, left_most, 1, 1, known + all_agree, lone) < floor:
            continue  # not even if they were alike as wholes
        core = likest(name.core_letters, name.core_signature, asked.core_size, asked.core_signature, words)
        full = max(core, likest(name.letters, name.signature, asked.full_size, asked.full_signature, words))
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
    spell_all(sorted([vocabulary[coded[n] >> 1] for n in range(size) if not coded[n] & 1]), sorted_letters)
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
        or _near(asked.full, asked.full_size, letters, spell_all(words, letters), least_full)
        or _near(asked.full_sorted, asked.full_size, letters, spell_all(sorted(words), letters), least_full + _SORTED_LESS)
    )


cdef bint _near(const Py_UCS4* a, int n, const Py_UCS4* b, int m, double least) noexcept nogil:
    """Are they at least so much alike?"""
    cdef int longest = max(n, m, 1)
    cdef int limit = <int>((1 - least) * longest + 1e-6)
    return least <= 1 and distance(a, n, b, m, limit) <= limit
