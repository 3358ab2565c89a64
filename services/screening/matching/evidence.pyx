# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: what two aligned names show, as numbers (see features). Symmetric in the two names."""

from rapidfuzz.distance import OSA

from libc.math cimport fabs
from libc.stdint cimport uint64_t

from services.screening.matching.align cimport NEAR, OTHER_WORD, RUN, SPACING, Alignment, Match
from services.screening.matching.bounds cimport MOST_BOTH, SHORTEST_WHOLE, shortness
from services.screening.matching.edits cimport MOST, alike, bits, edits_within
from services.screening.matching.sides cimport MOST_WORDS, Side, joined, words_of

from services.screening.matching.features import COMMON_WORD, ENOUGH, LEFT_EDITS, LEFT_UNLIKE, SORTED_LESS, forms_evidence
from services.screening.matching.places import PLACES, TOWNS
from services.screening.matching.settings import MAX_LETTERS
from services.screening.matching.spellings import are_numbers, is_number

cdef double _COMMON_WORD = COMMON_WORD, _ENOUGH = ENOUGH, _SORTED_LESS = SORTED_LESS, _LEFT_UNLIKE = LEFT_UNLIKE
cdef int _LEFT_EDITS = LEFT_EDITS
cdef enum:
    MOST_EDITS = 8
    MOST_INITIALS = 5
    MOST_LEFT = 6  # edits between the words that are left
cdef double _IN_FORM = 0.3  # what an edit in a legal word counts


cdef struct Whole:
    # Of the names without spaces: edits between the telling words, their likeness, likeness of all words, letters of the telling words.
    int edits, letters_a, letters_b
    double core, full


def evidence_of(a, b, Side side_a, Side side_b, Alignment found):
    """Of two names (Prepared) in the order of features.NAMES."""
    cdef double agree = 0, best = 0, loss = 0, other = 0, edits = 0, letters = 0, weight, only_a = 0, only_b = 0, worst_a = 0, worst_b = 0
    cdef double short, long, first = 0, one, lone, thin, near_whole = 0, cover_short, cover_long, unlike = 0
    cdef int blocks = 0, others = 0, misread = 0, few, numbers, places, towns, both_words, left_edits = 0, n
    cdef uint64_t left_a = found.a & ~side_a.forms, left_b = found.b & ~side_b.forms
    cdef bint all_a, all_b, near
    cdef Match* pair
    cdef tuple own = a.words, theirs = b.words
    for n in range(found.many):
        pair = &found.matches[n]
        all_a, all_b = not pair.a & ~side_a.forms, not pair.b & ~side_b.forms
        if all_a or all_b:
            if pair.kind == OTHER_WORD:
                continue
            misread += all_a != all_b
            edits += _IN_FORM * pair.edits
        elif pair.kind == OTHER_WORD or (pair.edits and (_initials(side_a, pair.a, a.name) or _initials(side_b, pair.b, b.name))):
            other += pair.weight
            others += 1
        else:
            weight = pair.similarity * pair.weight
            agree += weight
            best = max(best, weight)
            loss += pair.weight - weight
            misread += (pair.a & side_a.forms != 0) != (pair.b & side_b.forms != 0)
            edits += pair.edits
            letters += pair.similarity * min(_letters(side_a, pair.a), _letters(side_b, pair.b))
        blocks += pair.kind == SPACING or pair.kind == RUN
    for n in range(MOST_WORDS):
        if left_a >> n & 1:
            only_a, worst_a = only_a + side_a.weight[n], max(worst_a, side_a.weight[n])
        if left_b >> n & 1:
            only_b, worst_b = only_b + side_b.weight[n], max(worst_b, side_b.weight[n])
    short, long = agree + loss + other + min(only_a, only_b), agree + loss + other + max(only_a, only_b)
    legal_agree, legal_conflict, legal_one = forms_evidence(a.forms, b.forms, misread)
    cdef Whole whole = _whole(a, b)
    few = min(len(own), len(theirs), 4)
    words_a, words_b = words_of(side_a, left_a), words_of(side_b, left_b)
    numbers = _any_number(words_a) + _any_number(words_b)
    places = (not PLACES.isdisjoint(words_a)) + (not PLACES.isdisjoint(words_b))
    towns = (not TOWNS.isdisjoint(words_a)) + (not TOWNS.isdisjoint(words_b))
    both_words = min(min(bits(left_a), bits(left_b)) + others, <int>MOST_BOTH)
    if whole.edits <= NEAR and few > 1 and min(whole.letters_a, whole.letters_b) >= SHORTEST_WHOLE:
        near_whole = min(2.0, max(whole.letters_a, whole.letters_b) / 10.0)
    near = (
        numbers > 0 and best >= _ENOUGH and whole.edits <= NEAR and are_numbers(words_a, words_b)
        and _typed_near(words_a, words_b, _looked_at(a.name), _looked_at(b.name))
    )
    if near:
        numbers = both_words = 0
        only_a = only_b = worst_a = worst_b = 0
    elif words_a and words_b:
        unlike = _unlike(words_a, words_b, &left_edits)
    if own and theirs:
        first = 1 if own[0] == theirs[0] else alike(<str>own[0], <str>theirs[0], &n)
    one = fabs(only_a - only_b)
    thin = max(0.0, _ENOUGH - agree) if only_a + only_b + other != 0 else 0
    cover_short, cover_long = agree / short if short else 0, agree / long if long else 0
    lone = max(shortness(whole.letters_a) if len(own) == 1 else 0, shortness(whole.letters_b) if len(theirs) == 1 else 0)
    return (
        agree, best, cover_short, cover_long, min(only_a, only_b), both_words, one, min(worst_a, worst_b), max(worst_a, worst_b),
        left_edits, min(worst_a, worst_b) * unlike, min(worst_a, worst_b) if near_whole > 0 else 0.0, loss, edits, other, whole.core, whole.full, whole.edits, near_whole,
        _disorder(found, side_a), legal_agree, legal_conflict, legal_one, blocks, numbers,
        1.0 if near else 0.0, 1.0 if places == 2 else 0.0, 1.0 if towns == 1 else 0.0, thin, min(2.0, letters / 10),
        loss * lone, min(one, _COMMON_WORD) * lone, lone if legal_conflict > 0 else 0.0, first, few,
    )


def weighed(tuple weights, double bias, tuple evidence):
    """The evidence by what each counts, summed up."""
    cdef double found = bias
    cdef int n
    for n in range(len(weights)):
        found += <double>weights[n] * <double>evidence[n]
    return found


cdef bint _initials(Side side, uint64_t which, str name) except -1:
    """Is it a word of initials, each with its dot? A.B.D. is no slip for A.B.C., for each letter stands for a word."""
    cdef str word = joined(side, which)
    return len(word) <= MOST_INITIALS and ".".join(word) + "." in _looked_at(name)


cdef str _looked_at(str name):
    """As typed, in lower case: as much as is looked at."""
    return name[:MAX_LETTERS].casefold()


cdef int _letters(Side side, uint64_t which):
    cdef int i, found = 0
    for i in range(side.size):
        if which >> i & 1:
            found += len(<str>side.tokens[i])
    return found


cdef bint _any_number(list words) except -1:
    for word in words:
        if is_number(word):
            return True
    return False


cdef bint _typed_near(list own, list theirs, str name, str other) except -1:
    """Is it one digit of a number that differs, or else one letter of the whole names as typed? VII may be a slip for VIII, IX is none."""
    cdef int n
    if not (_stand_in(own, name) and _stand_in(theirs, other)):
        return edits_within(name, other, 1) <= 1
    for n in range(len(own)):
        if edits_within(<str>own[n], <str>theirs[n], 1) > 1:
            return False
    return True


cdef bint _stand_in(list words, str name) except -1:
    for word in words:
        if <str>word not in name:
            return False
    return True


cdef double _unlike(list own, list theirs, int* edits) except -1:
    """How unlike words are that stand in place of each other: all of them written as one (`edits` is set to those between them) or the
    likest two, whichever is less. Two slips in a word, or a space beside a slip, leave words unaligned that are the same."""
    cdef str one = "".join(own), other = "".join(theirs)
    cdef double least, longest = max(len(one), len(other))
    edits[0] = edits_within(one, other, MOST)
    least = edits[0] / longest
    if len(own) + len(theirs) > 2:
        for x in own:
            for y in theirs:
                longest = max(len(<str>x), len(<str>y))
                least = min(least, edits_within(<str>x, <str>y, MOST) / longest)
    edits[0] = min(max(edits[0], _LEFT_EDITS), <int>MOST_LEFT)
    return max(least, _LEFT_UNLIKE)


cdef Whole _whole(a, b) except *:
    cdef str core_a = "".join(a.words), core_b = "".join(b.words), full_a, full_b
    cdef Whole found = Whole(0, len(core_a), len(core_b), 1, 1)
    cdef int edits
    cdef double longest = max(len(core_a), len(core_b), 1), longest_full
    if a.tokens == b.tokens:
        return found
    edits = OSA.distance(core_a, core_b)
    found.core = 1 - edits / longest
    full_a, full_b = "".join(a.tokens), "".join(b.tokens)
    longest_full = max(len(full_a), len(full_b), 1)
    found.full = 1 - <int>OSA.distance(full_a, full_b) / longest_full
    if edits and (len(a.words) > 1 or len(b.words) > 1):
        found.core = max(found.core, 1 - <int>OSA.distance("".join(sorted(a.words)), "".join(sorted(b.words))) / longest - _SORTED_LESS)
    if found.full < 1:
        found.full = max(found.full, 1 - <int>OSA.distance("".join(sorted(a.tokens)), "".join(sorted(b.tokens))) / longest_full - _SORTED_LESS)
    found.edits, found.full = min(edits, MOST_EDITS + 1), max(found.core, found.full)  # how long a legal form is says nothing
    return found


cdef double _disorder(Alignment found, Side side) noexcept:
    """The share of neighbours among the words that agree which stand the other way round in the other name."""
    cdef int[MOST_WORDS] places  # of the other name, by where the pair begins in this one; -1: none does
    cdef int i, n, last = -1, many = 0, turned = 0
    for i in range(MOST_WORDS):
        places[i] = -1
    for n in range(found.many):
        if not side.forms & found.matches[n].a & -found.matches[n].a:
            places[_first(found.matches[n].a)] = _first(found.matches[n].b)
    for i in range(side.size):
        if places[i] >= 0:
            turned += last > places[i]
            last = places[i]
            many += 1
    return turned / <double>(many - 1) if many > 1 else 0


cdef int _first(uint64_t which) noexcept:
    return bits((which & -which) - 1)
