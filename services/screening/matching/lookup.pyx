# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: spellings that are near, found by keys in sorted runs (see under) and verified letter by letter, one look-up in one call."""

import numpy as np

from cpython cimport array
from cpython.ref cimport PyObject
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free

from services.screening.matching.edits cimport MOST, distance, same_digits, spell, spell_name
from services.screening.matching.names cimport Name, Names, fetch
from services.screening.matching.under cimport MOST_KEYS, Spelt, ask, under

cdef extern from "Python.h":
    ctypedef struct PyListObject:
        PyObject** ob_item

cdef enum:
    AHEAD = 4  # spellings that are fetched from memory before they are looked at
    MOST_EDITS = 2  # between words that share a variant
    PREFIX = 8  # see deletions
    VARIANTS = 1 + PREFIX + PREFIX * (PREFIX - 1) // 2

cdef array.array _NUMBERS = array.array("I"), _SHARES = array.array("d")

cdef uint64_t _segment_key(int size, int part, const Py_UCS4* letters, int width) noexcept nogil:
    """31 bits (FNV-1a, mixed). Spellings that share a part fall together anyway, so nothing is won by making keys collide."""
    cdef uint64_t found = 14695981039346656037U ^ <uint64_t>(size << 3 | part)
    cdef int n
    for n in range(width):
        found = (found ^ <uint64_t>letters[n]) * 1099511628211U
    return (found ^ found >> 29) * 0x9E3779B97F4A7C15U >> 33


cdef int _seam_key(Spelt* asked, int size, int part, int place, int width, int inside, int outside, uint64_t* key) noexcept nogil:
    """The key of a part where the letter at its end is the one beyond it; none (0) where that is the same."""
    cdef Py_UCS4 letter = asked.letters[inside]
    if letter == asked.letters[outside]:
        return 0
    asked.letters[inside] = asked.letters[outside]
    key[0] = _segment_key(size, part, asked.letters + place, width)
    asked.letters[inside] = letter
    return 1


def segment_keys(list spellings, int parts):
    """The key of each of so many parts of each of the spellings, the longer parts last: uint64, spelling after spelling."""
    cdef Py_UCS4[MOST] letters
    cdef int size, part, at, width
    cdef Py_ssize_t place = 0
    found = np.empty(parts * len(spellings), np.uint64)
    cdef uint64_t[::1] keys = found
    for spelt in spellings:
        size, at = spell(spelt, letters, 0), 0
        for part in range(parts):
            width = size // parts + (part >= parts - size % parts)
            keys[place] = _segment_key(size, part, letters + at, width)
            at += width
            place += 1
    return found


cdef inline void _fetch_words(Names names, uint32_t number, PyObject** kept, bint itself) noexcept:
    """Each word of a name, or where it is kept."""
    cdef const Name* name = &names.names[number]
    cdef const uint32_t* words = names.words(name)
    cdef int n
    for n in range(name.size):
        fetch(<const void*>kept[words[n] >> 1] if itself else <const void*>&kept[words[n] >> 1])


def segments_near(str spelt, int edits, int shortest, array.array runs, source):
    """Number -> edits of all spellings of so many letters or more within the edits: they stand under one of the keys at which they must (see segments).
    `runs`: see runs.Runs.where; `source`: see store."""
    cdef Py_UCS4[MOST] others
    cdef Spelt asked
    cdef int parts = edits + 1, size, more, part, at, width, place, low, high, far, many = 0, n
    cdef uint64_t[MOST_KEYS] keys
    cdef uint32_t* numbers = NULL
    cdef list vocabulary = source[0]
    cdef PyObject** kept = (<PyListObject*>vocabulary).ob_item
    cdef array.array signatures = source[1]
    cdef Names names = source[3]
    cdef bint telling = source[4]
    cdef const Name* name
    cdef dict near = {}
    ask(&asked, spelt, edits)
    for size in range(max(shortest, asked.size - edits), asked.size + edits + 1):
        more, at = asked.size - size, 0
        for part in range(parts):
            width = size // parts + (part >= parts - size % parts)
            # What stands before a part that is the same holds no more edits than there are parts; nor does what stands behind.
            low = max(0, at - part, at + more - (edits - part))
            high = min(asked.size - width, at + part, at + more + (edits - part))
            for place in range(low, high + 1):
                keys[many] = _segment_key(size, part, asked.letters + place, width)
                many += 1
                # Two letters may have changed places where this part meets the next, or the one before.
                if place + width < asked.size:
                    many += _seam_key(&asked, size, part, place, width, place + width - 1, place + width, keys + many)
                if place:
                    many += _seam_key(&asked, size, part, place, width, place, place - 1, keys + many)
            at += width
    try:
        if names is None:
            many = under(runs, keys, many, &asked, <const uint64_t*>signatures.data.as_ulonglongs, 1, &numbers)
        else:
            name = names.names
            many = under(
                runs, keys, many, &asked, &name.core_signature if telling else &name.signature, sizeof(Name) // sizeof(uint64_t), &numbers
            )
        for n in range(many):
            if names is None:
                size = spell(<str>vocabulary[numbers[n]], others, 0)
            else:
                if n + 2 * AHEAD < many:
                    _fetch_words(names, numbers[n + 2 * AHEAD], kept, False)
                if n + AHEAD < many:
                    _fetch_words(names, numbers[n + AHEAD], kept, True)
                name = &names.names[numbers[n]]
                size = spell_name(names.words(name), name.size, vocabulary, telling, others)
            far = distance(asked.letters, asked.size, others, size, edits)
            if far <= edits:
                near[numbers[n]] = far
    finally:
        free(numbers)
    return near


cdef int _variants(str word, uint64_t base, uint64_t back, uint64_t mix, uint64_t* keys) noexcept:
    """Keys of a word with up to two letters left out (see deletions): its letters are the coefficients of a polynomial; so many there are."""
    cdef Py_UCS4[MOST] letters
    cdef uint64_t[PREFIX + 1] before  # sums of all letters in front of a place
    cdef int size = spell(word, letters, 0), count = 1, i, j
    cdef bint number = size > 0
    cdef uint64_t power = 1, whole
    for i in range(size):
        number = number and c"0" <= letters[i] <= c"9"
    if number or size < 2:
        return 0
    size = min(size, PREFIX)
    before[0] = 0
    for i in range(size):
        before[i + 1] = before[i] + <uint64_t>letters[i] * power
        power *= base
    whole = before[size]
    keys[0] = whole
    if size > 2:
        for i in range(size):
            keys[count] = before[i] + back * (whole - before[i + 1])
            count += 1
    if size > 3:
        for i in range(size):
            for j in range(i + 1, size):
                keys[count] = before[i] + back * (before[j] - before[i + 1]) + back * back * (whole - before[j + 1])
                count += 1
    for i in range(count):
        keys[i] = keys[i] * mix >> 33
    return count


def variant_keys(words, uint64_t base, uint64_t back, uint64_t mix):
    """(keys of the words' variants, for each the place of its word); `back`: the inverse of `base`."""
    cdef uint64_t[VARIANTS] keys
    cdef int count, n, at = 0
    every, rows = np.empty(VARIANTS * len(words), np.uint64), np.empty(VARIANTS * len(words), np.uint64)
    cdef uint64_t[::1] into = every, of = rows
    for row, word in enumerate(words):
        count = _variants(word, base, back, mix, keys)
        for n in range(count):
            into[at], of[at] = keys[n], row
            at += 1
    return every[:at], rows[:at]


def words_near(
    str word, array.array runs, uint64_t base, uint64_t back, uint64_t mix, source, bytes forgiven, known=frozenset()
):
    """(Numbers, how alike each is) of other words that share a variant, are within the edits that are `forgiven` (at most 2), by the letters of the longer of
    two, and have the same digits; none of them `known`. `runs`: see runs.Runs.where; `source`: see store."""
    cdef Py_UCS4[MOST] others
    cdef Spelt asked
    cdef uint64_t[VARIANTS] keys
    cdef uint32_t* numbers = NULL
    cdef list vocabulary = source[0]
    cdef PyObject** kept = (<PyListObject*>vocabulary).ob_item
    cdef array.array signatures = source[1], lengths = source[2], near, alike
    cdef int many = _variants(word, base, back, mix, keys), n, far, size, longer, limit, found = 0
    cdef const unsigned char* limits = forgiven
    cdef str other
    ask(&asked, word, MOST_EDITS)
    asked.forgiven, asked.lengths = limits, lengths.data.as_ushorts
    try:
        many = under(runs, keys, many, &asked, <const uint64_t*>signatures.data.as_ulonglongs, 1, &numbers)
        near, alike = array.clone(_NUMBERS, many, False), array.clone(_SHARES, many, False)
        for n in range(many):
            if n + 2 * AHEAD < many:
                fetch(&kept[numbers[n + 2 * AHEAD]])
            if n + AHEAD < many:
                fetch(kept[numbers[n + AHEAD]])
            other = <str>vocabulary[numbers[n]]
            size = spell(other, others, 0)
            longer = max(asked.size, size)
            limit = limits[min(longer, 255)]
            far = distance(asked.letters, asked.size, others, size, limit)
            if 0 < far <= limit and same_digits(word, other) and other not in known:
                near.data.as_uints[found], alike.data.as_doubles[found] = numbers[n], 1 - far / <double>longer
                found += 1
    finally:
        free(numbers)
    array.resize(near, found)
    array.resize(alike, found)
    return near, alike
