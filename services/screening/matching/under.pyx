# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: which spellings stand under any of a few keys in sorted runs (see runs), but those that a look at their letters refutes."""

from cpython cimport array
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport qsort, realloc

from services.screening.matching.edits cimport edits_at_least, signature_of, spell
from services.screening.matching.names cimport fetch

cdef enum:
    KEY_BITS = 31
    NEARER = 3  # times; each leaves the root of how far off it was


cdef void _find(const uint64_t* run, Py_ssize_t size, const uint64_t* keys, int many, Py_ssize_t* places) noexcept nogil:
    """Where in a sorted run the first entry of each key stands, or would. Keys are hashes, so that where one stands can be told from itself, ever nearer;
    all come nearer together, for memory answers many as fast as one."""
    cdef Py_ssize_t at, step, low, high
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


cdef void ask(Spelt* asked, str spelt, int edits) noexcept:
    """`asked` is a spelling within so many edits of which others are looked for."""
    asked.size, asked.edits, asked.forgiven, asked.lengths = spell(spelt, asked.letters, 0), edits, NULL, NULL
    asked.signature = signature_of(asked.letters, asked.size)


cdef int under(array.array runs, const uint64_t* keys, int many, Spelt* asked, const uint64_t* signatures, int stride, uint32_t** numbers) except -1:
    """Numbers, sorted, that stand under any of the keys, but those whose letters say that they are further off; how many. `signatures`: by number, each so many
    apart; `runs`: see runs.Runs.where; `numbers` is to be freed."""
    cdef Py_ssize_t[MOST_KEYS] places
    cdef const uint64_t* run
    cdef Py_ssize_t at, size, one
    cdef int n, found = 0, room = 0, kept = 0, last = 0
    cdef uint32_t number
    cdef uint64_t theirs
    for one in range(0, len(runs), 2):
        run, size = <const uint64_t*>runs.data.as_ulonglongs[one], runs.data.as_ulonglongs[one + 1]
        _find(run, size, keys, many, places)
        for n in range(many):
            at = places[n]
            while at < size and run[at] >> 32 == keys[n]:
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


cdef int _order(const void* one, const void* other) noexcept nogil:
    cdef uint32_t a = (<const uint32_t*>one)[0], b = (<const uint32_t*>other)[0]
    return (a > b) - (a < b)
