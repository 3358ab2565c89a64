# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: how far apart spellings are."""

from cpython cimport array
from libc.stdint cimport uint32_t, uint64_t

from rapidfuzz.distance import OSA

from services.screening.matching.settings import TWICE_SIMILARITY, edit_limit

cdef extern from *:
    Py_UCS4 PyUnicode_READ_CHAR(object text, Py_ssize_t at)
    int PyUnicode_KIND(object text)
    const unsigned char* PyUnicode_1BYTE_DATA(object text)

cdef bytes _LIMITS = bytes([edit_limit(n) for n in range(256)])
cdef double _TWICE = TWICE_SIMILARITY


cdef int spell(str word, Py_UCS4* letters, int at) noexcept:
    """Writes the letters of a word behind others, as many as there is room for; how many there are now."""
    cdef int n
    cdef int more = min(len(word), MOST - at)
    cdef const unsigned char* narrow
    if PyUnicode_KIND(word) == 1:
        narrow = PyUnicode_1BYTE_DATA(word)
        for n in range(more):
            letters[at + n] = narrow[n]
    else:
        for n in range(more):
            letters[at + n] = PyUnicode_READ_CHAR(word, n)
    return at + more


def signature(str word):
    """64 bits, which say how many edits two spellings are apart at least: see edits_at_least."""
    cdef Py_UCS4[MOST] letters
    return signature_of(letters, spell(word, letters, 0))


cdef uint64_t signature_of(const Py_UCS4* letters, int size) noexcept nogil:
    cdef uint64_t has = 0, odd = 0, this
    cdef int n, letter
    for n in range(size):
        letter = <int>letters[n]
        if c"a" <= letter <= c"z":
            this = <uint64_t>1 << (letter - c"a")
        elif c"0" <= letter <= c"9":
            this = <uint64_t>1 << ((26 + letter - c"0") & 31)
        else:
            this = <uint64_t>1 << 31
        has |= this
        odd ^= this
    return has | odd << 32


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


cpdef list near_which(str word, list others, array.array signatures, bytes forgiven):
    """Places of those of the others, whose signatures these are, that are within the edits that are `forgiven`, by the letters of the longer of two."""
    cdef Py_UCS4[MOST] a
    cdef Py_UCS4[MOST] b
    cdef int n = spell(word, a, 0), m, limit
    cdef const unsigned char* limits = forgiven
    cdef uint64_t own = signature_of(a, n)
    cdef Py_ssize_t place
    cdef list found = []
    for place in range(len(others)):
        m = <int>min(len(<str>others[place]), <Py_ssize_t>MOST)
        limit = limits[min(max(n, m), 255)]
        if max(n - m, m - n) > limit or edits_at_least(own, signatures.data.as_ulonglongs[place]) > limit:
            continue
        spell(<str>others[place], b, 0)
        if distance(a, n, b, m, limit) <= limit:
            found.append(place)
    return found


cdef double alike(str x, str y, int* edits):
    """Of two words: 1 less the share of letters edited, and the edits; 0 beyond the edits forgiven. Digits must be the same."""
    cdef int longer = max(len(x), len(y)), limit = _LIMITS[min(longer, 255)]
    edits[0] = 0
    if not limit or len(x) - len(y) > limit or len(y) - len(x) > limit or not same_digits(x, y):
        return 0
    edits[0] = edits_within(x, y, limit)
    if edits[0] <= limit:
        return 1 - edits[0] / <double>longer
    edits[0] = 0
    return 0


def likeness(str x, str y, int edits):
    """The most that two words with so many edits between them can count as alike, be it as all that is left of two names; 0 where nothing aligns
    them."""
    cdef int longer = max(len(x), len(y))
    cdef double found = 1 - edits / <double>longer
    if (edits > _LIMITS[min(longer, 255)] and found < _TWICE) or not same_digits(x, y):
        return 0.0
    return found
