# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: the words of one name with what each weighs."""

from libc.stdint cimport uint64_t

from services.screening.matching.settings import FORM_WEIGHT

cdef double _FORM_WEIGHT = FORM_WEIGHT


cdef class Side:
    """Its tokens, all and some of them."""

    @property
    def weights(self):
        """Of the tokens."""
        return [self.weight[i] for i in range(self.size)]


def side_of(name, corpus):
    """A legal word weighs next to nothing, whatever its rarity."""
    cdef Side side = Side.__new__(Side)
    cdef tuple legal = name.legal
    cdef int i
    side.tokens = name.tokens
    side.size = len(side.tokens)
    if side.size > MOST_WORDS:
        raise ValueError(f"a name of more than {MOST_WORDS} words was not prepared")
    weigh = corpus.weight
    for i in range(side.size):
        if legal[i]:
            side.forms |= <uint64_t>1 << i
            side.weight[i] = _FORM_WEIGHT
        else:
            side.weight[i] = weigh(side.tokens[i])
    return side


cdef uint64_t all_of(Side side):
    return (<uint64_t>1 << side.size) - 1 if side.size < MOST_WORDS else ~<uint64_t>0


cdef double weight_of(Side side, uint64_t which):
    cdef double found = 0
    cdef int i
    for i in range(side.size):
        if which >> i & 1:
            found += side.weight[i]
    return found


cdef list words_of(Side side, uint64_t which):
    return [side.tokens[i] for i in range(side.size) if which >> i & 1] if which else []


cdef str joined(Side side, uint64_t which):
    return "".join(words_of(side, which))
