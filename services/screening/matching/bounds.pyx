# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: how high log odds can be at most, by the weights of a model, while little is known of a name or all but a little."""

from services.screening.matching.features import COMMON_WORD, ENOUGH, LEFT_EDITS, LEFT_UNLIKE, LONG_NAME, SHORT_NAME, forms_evidence

cdef double _COMMON_WORD = COMMON_WORD, _ENOUGH = ENOUGH
cdef double _SHORT_NAME = SHORT_NAME, _LONG_NAME = LONG_NAME
cdef double _NOTHING = 1e-4  # weight that rounding may leave
cdef double _LEAST = 0.15  # what a telling word weighs at least: none is so common
cdef double _ROUNDING = 1e-6


cpdef double shortness(int letters) noexcept nogil:
    """Of a name of one telling word: how much chance explains, 0..1."""
    return min(1.0, max(0.0, (_LONG_NAME - letters) / (_LONG_NAME - _SHORT_NAME)))


cdef class Bound:
    """Of one model."""

    def __init__(self, double bias, dict weights):
        w = weights
        self.few, self.few_best = w["few_words"], max(0.0, 4 * w["few_words"], w["few_words"])
        self.sure = bias + w["first"] + 2 * w["letters"] + self.few_best  # at best
        self.agree, self.best = w["agree"], w["agree_best"]
        self.cover_short, self.cover_long = w["cover_short"], w["cover_long"]
        self.both, self.both_words = w["both"], w["both_words"]
        self.one, self.lone_one = w["one"], w["lone_one"]
        self.left_out = max(w["one"], w["both"] + w["both_words"])  # of a word, by its weight
        # Words in place of each other are at least so unlike; or they are near, but known to be two.
        self.worst_both = w["worst_both"] + w["left_unlike"] * LEFT_UNLIKE
        known = w["other_words"] - self.worst_both
        self.apart = max(w["left_edits"] * LEFT_EDITS, known * (_LEAST if known < 0 else 1))
        self.worst_one = w["worst_one"]
        self.core, self.full, self.thin = w["core_sim"], w["full_sim"], w["thin"]
        self.legal_agree, self.legal_conflict, self.legal_one = w["legal_agree"], w["legal_conflict"], w["legal_one"]
        self.lone_form = w["lone_form"]
        self.fuzzy, self.lone_loss, self.blocks = -w["fuzzy_loss"], -w["lone_loss"], -w["blocks"]

    cpdef double at_best(self, double agree, double best, double missed, double worst, int legal, double alike):
        """The highest log odds of a name beside one of which at most so much weight agrees, `best` of it by one word, and so much is missed, `worst` of it
        by one word; `legal`: its legal forms; `alike`: how alike they can be as wholes."""
        return self.of(agree, best, 0, 0, missed, 0, worst, alike, alike, self.legal_agree * legal, 0)

    cpdef double needed(self, double floor, double agree, double best, double missed, double worst, int words, int legal, double lone):
        """How alike as wholes such a name must be at least to reach the log odds `floor`; above 1 where it cannot. `words`: missed ones, at least, that it has
        others in place of."""
        cdef double lacks = floor - self.of(agree, best, words, missed, 0, worst, 0, 0, 0, self.legal_agree * legal, lone), alike = self.core + self.full
        return lacks / alike - _ROUNDING if alike > 0 else 0 if lacks <= 0 else 2

    cdef double of(
        self, double agree, double best, int words, double only_a, double only_b, double worst_a, double worst_b, double core, double full,
        double known, double lone,
    ) noexcept nogil:
        """The same where more is known: how many words are left on both sides, the weight left on either and of its rarest word, how alike they can be as
        wholes, what is `known` to count, and `shortness` of the one telling word that one of the two surely has, else 0."""
        cdef double both = min(only_a, only_b), most = max(only_a, only_b)
        cdef double found = (
            self.sure + known + self.agree * agree + self.best * best + self.both * both + self.both_words * words
            + self.on_top(most - both, words, lone) + self.worst_both * min(worst_a, worst_b)
            + self.worst_one * max(worst_a, worst_b) + self.core * core + self.full * full
        )
        if words > 0:
            found += self.apart
        if agree > 0:
            found += self.cover_short * agree / (agree + both) + self.cover_long * agree / (agree + most)
        if most > _NOTHING and agree < _ENOUGH:
            found += self.thin * (_ENOUGH - agree)
        return found

    cdef double on_top(self, double weight, int words, double lone) noexcept nogil:
        """What so much weight on one side counts: there alone or, as it may turn out, in place of something, whichever is less against.
        `words` are known to stand in place of others."""
        return max(
            self.one * weight + self.lone_one * min(weight, _COMMON_WORD) * lone,
            self.both * weight + self.both_words * min(weight, <double>max(0, MOST_BOTH - words)),
        )

    cdef double forms(self, tuple ours, tuple theirs, int slips, double lone):
        """What legal forms count where so many words may be misread ones."""
        agree, conflict, one = forms_evidence(ours, theirs, slips)
        cdef double found = self.legal_agree * <int>agree + self.legal_conflict * <double>conflict + self.legal_one * <int>one
        return found + self.lone_form * lone if <double>conflict > 0 else found
