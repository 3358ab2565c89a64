from cpython cimport array
from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    int bits "__builtin_popcountll"(uint64_t mask) noexcept nogil

cdef enum:
    MOST = 400  # letters that are looked at, as settings.MAX_LETTERS; transliteration may have made more of them

cdef int spell(str word, Py_UCS4* letters, int at) noexcept
cdef uint64_t signature_of(const Py_UCS4* letters, int size) noexcept nogil
cdef int spell_name(const uint32_t* coded, int size, list vocabulary, bint telling, Py_UCS4* letters) noexcept
cdef int distance(const Py_UCS4* a, int n, const Py_UCS4* b, int m, int limit) noexcept nogil
cdef int edits_within(str one, str other, int limit) except -1
cdef bint same_digits(str one, str other) noexcept
cpdef list near_which(str word, list others, array.array signatures, bytes forgiven)
cdef double alike(str x, str y, int* edits)

# A signature: which letters a spelling has, 32 bits, and above them which of these an odd number of times.

cdef inline uint64_t written_together(uint64_t one, uint64_t other) noexcept nogil:
    """The signature of two spellings written as one."""
    return <uint32_t>(one | other) | (one ^ other) >> 32 << 32

cdef inline int edits_at_least(uint64_t one, uint64_t other) noexcept nogil:
    """Between spellings of these signatures: each letter that only one of them has is an edit, and an edit changes how often two letters stand there."""
    return max(bits(<uint32_t>(one & ~other)), bits(<uint32_t>(other & ~one)), (bits((one ^ other) >> 32) + 1) >> 1)
