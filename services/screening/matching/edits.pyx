# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: spellings that are near, found by keys in sorted runs (see runs) and verified letter by letter, one look-up in one call."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

import numpy as np
from rapidfuzz.distance import OSA

from cpython cimport array

from services.screening.matching.bounds cimport bits
from services.screening.matching.names cimport Name, Names, fetch

cdef extern from *:
    Py_UCS4 PyUnicode_READ_CHAR(object text, Py_ssize_t at)

cdef enum:
    KEY_BITS = 31
    NEARER = 3  # times; each leaves the root of how far off it was
    MOST_EDITS = 2  # between words that share a variant
    MOST_KEYS = 256  # of one spelling: of four parts seven sizes at up to seven places
    PREFIX = 8  # see deletions
    VARIANTS = 1 + PREFIX + PREFIX * (PREFIX - 1) // 2

cdef uint64_t HIGH = <uint64_t>1 << 32


cdef int spell(str word, Py_UCS4* letters, int at) noexcept:
    """Writes the letters of a word behind others, as many as there is room for; how many there are now."""
    cdef int n
    cdef int more = min(len(word), MOST - at)
    for n in range(more):
        letters[at + n] = PyUnicode_READ_CHAR(word, n)
    return at + more


cdef int spell_name(const uint32_t* coded, int size, list vocabulary, bint telling, Py_UCS4* letters) noexcept:
    """The words of a name (see store), or only those that tell it from others, written as one."""
    cdef int n, at = 0
    for n in range(size):
        if not (telling and coded[n] & 1):
            at = spell(<str>vocabulary[coded[n] >> 1], letters, at)
    return at


cdef int distance(const Py_UCS4* a, int n, const Py_UCS4* b, int m, int limit) noexcept nogil:
    """Optimal string alignment: letters replaced, missing, one too many, or two that changed places; limit + 1 where there are more."""
    cdef int[MOST + 1] first
    cdef int[MOST + 1] second
    cdef int[MOST + 1] third
    cdef int* before = first  # the row above the last one
    cdef int* last = second
    cdef int* now = third
    cdef int* spare
    cdef int i, j, begin, end, least, cost, found
    while n and m and a[0] == b[0]:
        a, b, n, m = a + 1, b + 1, n - 1, m - 1
    while n and m and a[n - 1] == b[m - 1]:
        n, m = n - 1, m - 1
    if (n - m if n > m else m - n) > limit:
        return limit + 1
    if not n or not m:
        return n + m
    for j in range(m + 1):
        last[j] = j
    for i in range(1, n + 1):
        begin, end = max(1, i - limit), min(m, i + limit)
        now[begin - 1] = i if begin == 1 else limit + 1
        least = now[begin - 1]
        for j in range(begin, end + 1):
            found = last[j - 1] + (a[i - 1] != b[j - 1])
            found = min(found, now[j - 1] + 1)
            if j < i + limit:
                found = min(found, last[j] + 1)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1] and j - 2 >= i - 2 - limit and j - 2 <= i - 2 + limit:
                found = min(found, before[j - 2] + 1)
            now[j] = found
            least = min(least, found)
        if least > limit:
            return limit + 1
        spare = before
        before, last, now = last, now, spare
    return min(last[m], limit + 1)


cdef int edits_within(str one, str other, int limit) except -1:
    """Between two spellings; more than `limit` where there are more."""
    cdef Py_UCS4[MOST] a
    cdef Py_UCS4[MOST] b
    if len(one) > MOST or len(other) > MOST:
        return OSA.distance(one, other)
    return distance(a, spell(one, a, 0), b, spell(other, b, 0), limit)


cdef bint same_digits(str one, str other) noexcept:
    """Have they the same digits, in this order?"""
    cdef Py_ssize_t i = 0, j = 0, n = len(one), m = len(other)
    while True:
        while i < n and not c"0" <= PyUnicode_READ_CHAR(one, i) <= c"9":
            i += 1
        while j < m and not c"0" <= PyUnicode_READ_CHAR(other, j) <= c"9":
            j += 1
        if i == n or j == m:
            return i == n and j == m
        if PyUnicode_READ_CHAR(one, i) != PyUnicode_READ_CHAR(other, j):
            return False
        i, j = i + 1, j + 1


def near_which(str word, list others, const uint8_t[::1] forgiven):
    """Places of those of the others that are within the edits that are `forgiven`, by the letters of the longer of two."""
    cdef Py_UCS4[MOST] a
    cdef Py_UCS4[MOST] b
    cdef int n = spell(word, a, 0), m, limit
    found = []
    for place, other in enumerate(others):
        m = spell(<str>other, b, 0)
        limit = forgiven[min(max(n, m), 255)]
        if distance(a, n, b, m, limit) <= limit:
            found.append(place)
    return found


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


cdef uint64_t _segment_key(int size, int part, const Py_UCS4* letters, int width) noexcept nogil:
    """31 bits (FNV-1a, mixed). Spellings that share a part fall together anyway, so nothing is won by making keys collide."""
    cdef uint64_t found = 14695981039346656037U ^ <uint64_t>(size << 3 | part)
    cdef int n
    for n in range(width):
        found = (found ^ <uint64_t>letters[n]) * 1099511628211U
    return (found ^ found >> 29) * 0x9E3779B97F4A7C15U >> 33


def segment_keys(str spelt, int parts):
    """The key of each of so many parts of a spelling, the longer ones last: uint64."""
    cdef Py_UCS4[MOST] letters
    cdef int size = spell(spelt, letters, 0), part, at = 0, width
    found = np.empty(parts, np.uint64)
    cdef uint64_t[::1] keys = found
    for part in range(parts):
        width = size // parts + (part >= parts - size % parts)
        keys[part] = _segment_key(size, part, letters + at, width)
        at += width
    return found


def segments_near(str spelt, int edits, int shortest, list runs, uint32_t alphabet, source):
    """Number -> edits of all spellings of so many letters or more within the edits: they stand under one of the keys at which they must (see segments).
    `alphabet`: which letters this one has, as store.alphabet; `source`: see store."""
    cdef Py_UCS4[MOST] letters
    cdef Py_UCS4[MOST] others
    cdef int own = spell(spelt, letters, 0)
    cdef int parts = edits + 1, size, more, part, at, width, place, low, high, far
    cdef uint32_t number, theirs
    cdef Py_ssize_t found
    cdef const uint64_t[::1] run
    cdef list vocabulary = source[0]
    cdef array.array alphabets = source[1]
    cdef Names names = source[2]
    cdef bint telling = source[3]
    cdef const Name* name = NULL
    cdef dict near = {}
    cdef set seen = set()
    cdef uint64_t[MOST_KEYS] keys
    cdef Py_ssize_t[MOST_KEYS] firsts
    cdef int many = 0, n
    for size in range(max(shortest, own - edits), own + edits + 1):
        more, at = own - size, 0
        for part in range(parts):
            width = size // parts + (part >= parts - size % parts)
            # What stands before a part that is the same holds no more edits than there are parts; nor does what stands behind.
            low = max(0, at - part, at + more - (edits - part))
            high = min(own - width, at + part, at + more + (edits - part))
            for place in range(low, high + 1):
                keys[many] = _segment_key(size, part, letters + place, width)
                many += 1
            at += width
    for run in runs:
        _find(run, keys, many, firsts)
        for n in range(many):
            found = firsts[n]
            while found < run.shape[0] and run[found] >> 32 == keys[n]:
                number = <uint32_t>run[found]
                found += 1
                if names is None:
                    theirs = alphabets.data.as_uints[number]
                else:
                    name = &names.names[number]
                    theirs = name.core_alphabet if telling else name.alphabet
                if not theirs or bits(theirs & ~alphabet) > edits or bits(alphabet & ~theirs) > edits or number in seen:
                    continue
                seen.add(number)
                if names is None:
                    size = spell(<str>vocabulary[number], others, 0)
                else:
                    size = spell_name(names.words + name.start, name.size, vocabulary, telling, others)
                far = distance(letters, own, others, size, edits)
                if far <= edits:
                    near[number] = far
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
    str word, list runs, uint64_t base, uint64_t back, uint64_t mix, uint32_t alphabet, source, const uint8_t[::1] forgiven, known=frozenset()
):
    """[(number, how alike)] of other words that share a variant, are within the edits that are `forgiven` (at most 2), by the letters of the longer of two, and
    have the same digits; none of them `known`. `alphabet`, `source`: as of segments_near."""
    cdef list vocabulary = source[0]
    cdef array.array alphabets = source[1]
    cdef uint32_t theirs
    cdef uint64_t[VARIANTS] keys
    cdef Py_UCS4[MOST] letters
    cdef Py_UCS4[MOST] others
    cdef int count = _variants(word, base, back, mix, keys), own = spell(word, letters, 0), n, far, size, longer, limit
    cdef uint32_t number
    cdef Py_ssize_t found
    cdef const uint64_t[::1] run
    cdef Py_ssize_t[VARIANTS] firsts
    cdef set seen = set()
    near = []
    for run in runs:
        _find(run, keys, count, firsts)
        for n in range(count):
            found = firsts[n]
            while found < run.shape[0] and run[found] >> 32 == keys[n]:
                number = <uint32_t>run[found]
                found += 1
                theirs = alphabets.data.as_uints[number]
                if bits(theirs & ~alphabet) > MOST_EDITS or bits(alphabet & ~theirs) > MOST_EDITS or number in seen:
                    continue
                seen.add(number)
                size = spell(<str>vocabulary[number], others, 0)
                longer = max(own, size)
                limit = forgiven[min(longer, 255)]
                far = distance(letters, own, others, size, limit)
                if 0 < far <= limit and same_digits(word, <str>vocabulary[number]) and vocabulary[number] not in known:
                    near.append((number, 1 - far / <double>longer))
    return near
