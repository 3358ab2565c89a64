from libc.stdint cimport uint64_t

from services.screening.matching.edits cimport edits_at_least

cpdef enum:
    APART = 3  # edits at least between names that each have another word: those that are nearer are found as wholes
    MOST_BOTH = 3  # words that each has in place of the other's are counted up to so many
    SHORTEST_WHOLE = 6  # letters of names that are found as wholes; the words of shorter ones find each other by themselves

cpdef double shortness(int letters) noexcept nogil


cdef class Bound:
    cdef double sure, agree, best, cover_short, cover_long, both, both_words, one, lone_one, left_out, worst_both, apart, worst_one
    cdef double core, full, thin, legal_agree, legal_conflict, legal_one, lone_form, few, few_best, fuzzy, lone_loss, blocks

    cpdef double at_best(self, double agree, double best, double missed, double worst, int legal, double alike)
    cpdef double needed(self, double floor, double agree, double best, double missed, double worst, int words, int legal, double lone)
    cdef double of(
        self, double agree, double best, int words, double only_a, double only_b, double worst_a, double worst_b, double core, double full,
        double known, double lone,
    ) noexcept nogil
    cdef double on_top(self, double weight, int words, double lone) noexcept nogil
    cdef double forms(self, tuple ours, tuple theirs, int slips, double lone)

cdef inline double likest(int letters, uint64_t signature, int own, uint64_t asked, int words) noexcept nogil:
    """The most alike that names so spelt can be: each letter more, and each that only one has, is an edit; `words`: that each has in place of others."""
    cdef int edits = max(letters - own, own - letters, edits_at_least(signature, asked))
    if words:
        edits = max(edits, APART if letters >= SHORTEST_WHOLE else 1)
    return 1 - edits / <double>max(letters, own, 1)
