# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: spellings that are near, found by keys in sorted runs (see runs) and verified letter by letter, one look-up in one call."""

import numpy as np

from cpython cimport array
from cpython.ref cimport PyObject
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort, realloc

from services.screening.matching.edits cimport MOST, distance, edits_at_least, same_digits, signature_of, spell, spell_name
from services.screening.matching.names cimport Name, Names, fetch

cdef enum:
    AHEAD = 4  # spellings that are fetched from memory before they are looked at
    KEY_BITS = 31
    NEARER = 3  # times; each leaves the root of how far off it was
    MOST_EDITS = 2  # between words that share a variant
    MOST_KEYS = 640  # of one spelling: of four parts seven sizes at up to seven places, in three ways
    PREFIX = 8  # see deletions
    VARIANTS = 1 + PREFIX + PREFIX * (PREFIX - 1) // 2

cdef array.array _NUMBERS = array.array("I"), _SHARES = array.array("d")

cdef struct Spelt:
    # Who is looked up: letters, how many and which, and the edits looked for, or by the letters of the longer of two, which `lengths` says by number.
    Py_UCS4[MOST] letters
    int size, edits
    uint64_t signature
    const uint8_t* forgiven
    const uint16_t* lengths


cdef void _find(const uint64_t[::1] run, const uint64_t* keys, int many, Py_ssize_t* places) noexcept nogil:
    """Where in a sorted run the first entry of each key stands, or would. Keys are hashes, so that where one stands can be told from itself, ever nearer;
    all come nearer together, for memory answers many as fast as one."""
    cdef Py_ssize_t size = run.shape[0], at, step, low, high
    cdef uint64_t wanted
    cdef int n, time
    for n in range(many):
        places[n] = keys[n] * size >> KEY_BITS
        fetch(&run[places[n]])
    for time in range(NEARER):
        for n in range(many):
            at = places[n] + ((<int64_t>keys[n] - <int64_t>(run[places[n]] >> 32)) * size >> KEY_BITS)
            places[n] = max(0, min(at, size - 1))
            fetch(&run[places[n]])
    for n in range(many):
        wanted, at, step = keys[n] << 32, places[n], 8
        if run[at] < wanted:
            low, high = at + 1, at + step
            while high < size and run[high] < wanted:
                low, step = high + 1, step * 2
                high += step
            high = min(high, size)
        else:
            low, high = at - step, at
            while low > 0 and run[low] >= wanted:
                high, step = low, step * 2
                low -= step
            low = max(low, 0)
        while low < high:
            at = (low + high) >> 1
            if run[at] < wanted:
                low = at + 1
            else:
                high = at
        places[n] = low


cdef void _ask(Spelt* asked, str spelt, int edits) noexcept:
    asked.size, asked.edits, asked.forgiven, asked.lengths = spell(spelt, asked.letters, 0), edits, NULL, NULL
    asked.signature = signature_of(asked.letters, asked.size)


cdef int _under(list runs, const uint64_t* keys, int many, Spelt* asked, const uint64_t* signatures, int stride, uint32_t** numbers) except -1:
    """Numbers, sorted, that stand under any of the keys, but those whose letters say that they are further off; how many. `signatures`: by number, each so many
    apart; `numbers` is to be freed."""
    cdef Py_ssize_t[MOST_KEYS] places
    cdef const uint64_t[::1] run
    cdef Py_ssize_t at
    cdef int n, found = 0, room = 0, kept = 0, last = 0
    cdef uint32_t number
    cdef uint64_t theirs
    for run in runs:
        _find(run, keys, many, places)
        for n in range(many):
            at = places[n]
            while at < run.shape[0] and run[at] >> 32 == keys[n]:
                if last == room:
                    room = 2 * room + 256
                    numbers[0] = <uint32_t*>realloc(numbers[0], room * sizeof(uint32_t))
                    if not numbers[0]:
                        raise MemoryError
                numbers[0][last] = <uint32_t>run[at]
                fetch(&signatures[numbers[0][last] * <Py_ssize_t>stride])
                at += 1
                last += 1
    for n in range(last):
        number = numbers[0][n]
        theirs = signatures[number * <Py_ssize_t>stride]
        if theirs and edits_at_least(theirs, asked.signature) <= _forgiven(asked, number):
            numbers[0][found] = number
            found += 1
    if not found:
        return 0
    qsort(numbers[0], found, sizeof(uint32_t), _order)
    for n in range(1, found):
        if numbers[0][n] != numbers[0][kept]:
            kept += 1
            numbers[0][kept] = numbers[0][n]
    return kept + 1


cdef inline int _forgiven(const Spelt* asked, uint32_t number) noexcept nogil:
    return asked.edits if asked.forgiven == NULL else asked.forgiven[min(max(asked.size, <int>asked.lengths[number]), 255)]


cdef inline void _fetch_word(list vocabulary, uint32_t word) noexcept:
    fetch(<const void*><PyObject*>vocabulary[word])


cdef int _order(const void* one, const void* other) noexcept nogil:
    cdef uint32_t a = (<const uint32_t*>one)[0], b = (<const uint32_t*>other)[0]
    return (a > b) - (a < b)


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


def segments_near(str spelt, int edits, int shortest, list runs, source):
    """Number -> edits of all spellings of so many letters or more within the edits: they stand under one of the keys at which they must (see segments).
    `source`: see store."""
    cdef Py_UCS4[MOST] others
    cdef Spelt asked
    cdef int parts = edits + 1, size, more, part, at, width, place, low, high, far, many = 0, n
    cdef uint64_t[MOST_KEYS] keys
    cdef uint32_t* numbers = NULL
    cdef list vocabulary = source[0]
    cdef array.array signatures = source[1]
    cdef Names names = source[3]
    cdef bint telling = source[4]
    cdef const Name* name
    cdef const uint32_t* words
    cdef dict near = {}
    _ask(&asked, spelt, edits)
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
            many = _under(runs, keys, many, &asked, signatures.data.as_ulonglongs, 1, &numbers)
        else:
            name = names.names
            many = _under(
                runs, keys, many, &asked, &name.core_signature if telling else &name.signature, sizeof(Name) // sizeof(uint64_t), &numbers
            )
        for n in range(many):
            if names is None:
                size = spell(<str>vocabulary[numbers[n]], others, 0)
            else:
                if n + AHEAD < many:
                    name = &names.names[numbers[n + AHEAD]]
                    words = names.words(name)
                    for at in range(name.size):
                        _fetch_word(vocabulary, words[at] >> 1)
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
    str word, list runs, uint64_t base, uint64_t back, uint64_t mix, source, const uint8_t[::1] forgiven, known=frozenset()
):
    """(Numbers, how alike each is) of other words that share a variant, are within the edits that are `forgiven` (at most 2), by the letters of the longer of
    two, and have the same digits; none of them `known`. `source`: see store."""
    cdef Py_UCS4[MOST] others
    cdef Spelt asked
    cdef uint64_t[VARIANTS] keys
    cdef uint32_t* numbers = NULL
    cdef list vocabulary = source[0]
    cdef array.array signatures = source[1], lengths = source[2], near, alike
    cdef int many = _variants(word, base, back, mix, keys), n, far, size, longer, limit, found = 0
    cdef str other
    _ask(&asked, word, MOST_EDITS)
    asked.forgiven, asked.lengths = &forgiven[0], lengths.data.as_ushorts
    try:
        many = _under(runs, keys, many, &asked, signatures.data.as_ulonglongs, 1, &numbers)
        near, alike = array.clone(_NUMBERS, many, False), array.clone(_SHARES, many, False)
        for n in range(many):
            if n + AHEAD < many:
                _fetch_word(vocabulary, numbers[n + AHEAD])
            other = <str>vocabulary[numbers[n]]
            size = spell(other, others, 0)
            longer = max(asked.size, size)
            limit = forgiven[min(longer, 255)]
            far = distance(asked.letters, asked.size, others, size, limit)
            if 0 < far <= limit and same_digits(word, other) and other not in known:
                near.data.as_uints[found], alike.data.as_doubles[found] = numbers[n], 1 - far / <double>longer
                found += 1
    finally:
        free(numbers)
    array.resize(near, found)
    array.resize(alike, found)
    return near, alike
