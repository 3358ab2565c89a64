# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: which words of one name stand for which of the other."""

from collections import namedtuple
from typing import Literal

from libc.stdint cimport uint64_t

from services.screening.matching.bounds cimport SHORTEST_WHOLE
from services.screening.matching.edits cimport alike, bits, edits_within, same_digits
from services.screening.matching.sides cimport MOST_WORDS, Side, all_of, joined, weight_of

from services.screening.matching.settings import (
    INITIAL_SIMILARITY,
    RUN_LETTERS,
    RUN_SIMILARITY,
    SHORTEST_PARTED,
    TWICE_SIMILARITY,
)
from services.screening.matching.wordforms import other_compounds, other_numbers

PairKind = Literal["exact", "spacing", "fuzzy", "initial", "run", "other_word"]
Pair = namedtuple("Pair", "a b kind similarity weight edits")

cdef tuple _KINDS = ("exact", "spacing", "fuzzy", "initial", "run", "other_word")  # as Kind
cdef double _INITIAL = INITIAL_SIMILARITY, _RUN = RUN_SIMILARITY, _TWICE = TWICE_SIMILARITY
cdef int _RUN_LETTERS = RUN_LETTERS, _SHORTEST_PARTED = SHORTEST_PARTED


cdef class Alignment:
    """Pairs, and the places that are left on either side. Pairs of the kind `other_word` are near, but known to be two words."""

    @property
    def pairs(self):
        """Tokens `a` of one name that stand for tokens `b` of the other (places), how well (0..1), how much they weigh, edits between them."""
        return [
            Pair(places(one.a), places(one.b), _KINDS[<int>one.kind], one.similarity, one.weight, one.edits) for one in self.matches[: self.many]
        ]

    @property
    def left_a(self):
        """Places."""
        return list(places(self.a))

    @property
    def left_b(self):
        """Places."""
        return list(places(self.b))

    def swapped(self):
        """The same, seen from the other name."""
        cdef Alignment other = Alignment.__new__(Alignment)
        cdef int n
        other.a, other.b = self.b, self.a
        for n in range(self.many):
            one = self.matches[n]
            other.add(one.b, one.a, one.kind, one.similarity, one.weight, one.edits)
        return other

    cdef void add(self, uint64_t a, uint64_t b, Kind kind, double similarity, double weight, int edits) noexcept:
        self.matches[self.many] = Match(a, b, similarity, weight, edits, kind)
        self.many += 1


cdef tuple places(uint64_t mask):
    return tuple([n for n in range(MOST_WORDS) if mask >> n & 1])


def align(Side a, Side b, corpus, *, bint persons=False):
    """Each word once: equal words first, then words joined or split, misspelt ones, the most alike first, and what is left, as one."""
    cdef Alignment found = Alignment.__new__(Alignment)
    cdef int i, j, n
    cdef bint initials = True
    cdef str word
    found.b = all_of(b)
    for i in range(a.size):
        word = <str>a.tokens[i]
        for j in range(b.size):
            if found.b >> j & 1 and word == <str>b.tokens[j]:
                found.add(<uint64_t>1 << i, <uint64_t>1 << j, EXACT, 1, min(a.weight[i], b.weight[j]), 0)
                found.b &= ~(<uint64_t>1 << j)
                break
        else:
            found.a |= <uint64_t>1 << i
    if not found.a or not found.b:
        return found
    if bits(found.a) + bits(found.b) > 2:
        _blocks(a, b, &found.a, &found.b, found, False)
        _blocks(b, a, &found.b, &found.a, found, True)
    cdef uint64_t left_a = found.a, left_b = found.b
    cdef int sure = found.many
    if found.a and found.b:
        _misspelt(a, b, found, corpus, persons)
        _run(a, b, found, corpus, persons)
        if found.a and found.b and found.many > sure:
            _run_instead(a, b, found, corpus, persons, left_a, left_b, sure)
        if not persons:  # of persons many bear each name
            _slip_again(a, b, found)
    if persons:  # an initial is one only beside a word that agrees
        for n in range(found.many):
            initials = initials and found.matches[n].kind == INITIAL
        if initials:
            found.many, found.a, found.b = 0, all_of(a), all_of(b)
    return found


cdef int _blocks(Side whole, Side parts, uint64_t* left_whole, uint64_t* left_parts, Alignment found, bint swapped) except -1:
    """Words of `whole` that are two or three adjacent words of `parts` written as one; takes them off what is left."""
    cdef int i
    cdef uint64_t run, this
    cdef double weight
    for i in range(whole.size):
        this = <uint64_t>1 << i
        run = _written_as(<str>whole.tokens[i], parts, left_parts[0]) if left_whole[0] & this else 0
        if run:
            weight = weight_of(parts, run)
            if not whole.forms & this and run & ~parts.forms:
                weight = min(weight, whole.weight[i])
            found.add(run if swapped else this, this if swapped else run, SPACING, 1, weight, 0)
            left_whole[0] &= ~this
            left_parts[0] &= ~run
    return 0


cdef uint64_t _written_as(str word, Side parts, uint64_t left):
    """The first words left that are this one: two in either order, and wherever they stand, or three that follow each other; 0 where there are none."""
    cdef int at, other
    cdef uint64_t three
    if len(word) < _SHORTEST_PARTED:
        return 0
    for at in range(parts.size):
        if not left >> at & 1:
            continue
        three = <uint64_t>7 << at
        if left & three == three and len(<str>parts.tokens[at]) + len(<str>parts.tokens[at + 1]) < len(word) and joined(parts, three) == word:
            return three
        for other in range(at + 1, parts.size):
            if not left >> other & 1 or len(<str>parts.tokens[at]) + len(<str>parts.tokens[other]) != len(word):
                continue
            if word in (<str>parts.tokens[at] + <str>parts.tokens[other], <str>parts.tokens[other] + <str>parts.tokens[at]):
                return <uint64_t>1 << at | <uint64_t>1 << other
    return 0


cdef int _misspelt(Side a, Side b, Alignment found, corpus, bint persons) except -1:
    """Left words that are near; a misspelt word takes its partner's rarity.

    Two words that the corpus both knows are two words: Cool is no misspelling of Coal. A plural is.
    """
    cdef double[MOST_WORDS][MOST_WORDS] similar
    cdef int[MOST_WORDS][MOST_WORDS] edits
    cdef bint[MOST_WORDS][MOST_WORDS] two
    cdef int i, j, x, y
    cdef bint any_near = False
    cdef str word, other
    cdef double most
    knows = corpus.knows
    for i in range(a.size):
        if not found.a >> i & 1:
            continue
        word = <str>a.tokens[i]
        for j in range(b.size):
            similar[i][j] = 0
            if not found.b >> j & 1:
                continue
            other = <str>b.tokens[j]
            two[i][j] = edits[i][j] = 0
            if persons and (len(word) == 1 or len(other) == 1) and word[0] == other[0]:
                similar[i][j] = _INITIAL
                edits[i][j] = -1
            else:
                similar[i][j] = alike(word, other, &edits[i][j])
                if similar[i][j] == 0:
                    continue
                two[i][j] = (a.forms >> i & 1 or knows(word)) and (b.forms >> j & 1 or knows(other))
                if two[i][j] and (a.forms >> i & 1) != (b.forms >> j & 1):
                    similar[i][j] = 0  # a word that tells names apart is no misspelt legal one
                    continue
                if two[i][j] and edits[i][j] == 1:
                    two[i][j] = other not in other_numbers(word)
                elif edits[i][j] > 1 and other_compounds(word, other):
                    two[i][j] = True
            any_near = True
    while any_near:
        most, x, y = 0, 0, 0
        for i in range(a.size):
            if found.a >> i & 1:
                for j in range(b.size):
                    if found.b >> j & 1 and similar[i][j] > most:
                        most, x, y = similar[i][j], i, j
        if most == 0:
            break
        found.add(
            <uint64_t>1 << x, <uint64_t>1 << y, INITIAL if edits[x][y] < 0 else OTHER_WORD if two[x][y] else FUZZY, most,
            min(a.weight[x], b.weight[y]), max(0, edits[x][y]),
        )
        found.a &= ~(<uint64_t>1 << x)
        found.b &= ~(<uint64_t>1 << y)
    return 0


cdef int _run(Side a, Side b, Alignment found, corpus, bint persons) except -1:
    """All telling words that are left, written as one on both sides, where these are alike: spaces shifted, or a short word misspelt twice. Else all words
    that are left: a legal one may have been glued to its neighbour, or parted, by a slip."""
    cdef uint64_t telling_a = found.a & ~a.forms, telling_b = found.b & ~b.forms
    if not _as_one(a, b, telling_a, telling_b, found, corpus, persons) and (telling_a != found.a or telling_b != found.b) and telling_a | telling_b:
        _as_one(a, b, found.a, found.b, found, corpus, persons)
    return 0


cdef int _run_instead(Side a, Side b, Alignment found, corpus, bint persons, uint64_t left_a, uint64_t left_b, int sure) except -1:
    """Where a space has moved through a word, what is left of it is near to a word of the other name (SHAZANDPET ROCHEMICAL, SHAZAND PETROCHEMICAL): then a run
    of all that was left before misspelt words were paired, but the first pairs, which are `sure`."""
    cdef uint64_t now_a = found.a, now_b = found.b
    cdef int many = found.many
    cdef Match first = found.matches[sure]  # a run is one pair, and would stand in its place
    found.a, found.b, found.many = left_a, left_b, sure
    _run(a, b, found, corpus, persons)
    if bits(found.a) + bits(found.b) >= bits(now_a) + bits(now_b):
        found.a, found.b, found.many, found.matches[sure] = now_a, now_b, many, first
    return 0


cdef bint _as_one(Side a, Side b, uint64_t run_a, uint64_t run_b, Alignment found, corpus, bint persons) except -1:
    cdef str one = joined(a, run_a), other = joined(b, run_b)
    cdef int longer = max(len(one), len(other)), edits, before = 0, n
    cdef bint many = bits(run_a) + bits(run_b) > 2
    cdef double similarity
    if not one or not other or longer < _SHORTEST_PARTED or not same_digits(one, other):
        return False
    if not many and (persons or (corpus.knows(one) and corpus.knows(other))):  # Ahmed is no misspelling of Hamid
        return False
    edits = edits_within(one, other, NEAR)
    if edits > 1 and other_compounds(one, other):
        return False
    similarity = 1 - edits / <double>longer
    if many:
        for n in range(found.many):
            before += found.matches[n].edits
    # No more edits than a name is found by as a whole, which words that stand elsewhere would prevent; and many short words are soon like others.
    if (
        edits + before > NEAR
        or similarity < (_RUN if many else _TWICE)
        or (many and longer < _RUN_LETTERS and edits)
        or (many and not _near_as_wholes(a, b))
    ):
        return False
    found.add(run_a, run_b, RUN, similarity, min(weight_of(a, run_a), weight_of(b, run_b)), edits)
    found.a &= ~run_a
    found.b &= ~run_b
    return True


cdef int _slip_again(Side a, Side b, Alignment found) except -1:
    """A known word is a slip, too, where the name has another one and, as wholes, the two are found by what they share: who mistypes once does so again."""
    cdef int n, slips = 0, known = 0
    for n in range(found.many):
        known += found.matches[n].kind == OTHER_WORD
        slips += found.matches[n].kind != EXACT and not found.matches[n].a & a.forms and not found.matches[n].b & b.forms
    if known and slips > 1 and min(len(joined(a, ~a.forms)), len(joined(b, ~b.forms))) >= SHORTEST_WHOLE and _near_as_wholes(a, b):
        for n in range(found.many):
            if found.matches[n].kind == OTHER_WORD:
                found.matches[n].kind = FUZZY
    return 0


cdef bint _near_as_wholes(Side a, Side b):
    """Their telling words, or all of them."""
    return (
        edits_within(joined(a, ~a.forms), joined(b, ~b.forms), NEAR) <= NEAR or edits_within("".join(a.tokens), "".join(b.tokens), NEAR) <= NEAR
    )
