# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Compiled: the names that share something with one asked, word by word. Frequent words come last, and of the names that bear them most are passed over at
a glance: without the words before, few are alike enough."""

from cpython cimport array
from libc.stdint cimport uint32_t

from services.screening.matching.bounds cimport likest
from services.screening.matching.names cimport Name, Names, fetch
from services.screening.matching.postings cimport Postings
from services.screening.matching.question cimport Question
from services.screening.matching.seen cimport Seen

cdef enum:
    TOGETHER = 64  # names that are fetched from memory before they are looked at

cdef struct Needed:
    # How alike as wholes a name must be that has none of the words before: if it has no words but these, when it has so many letters at most, and if it has.
    double alike, alike_beside
    int letters


cdef int meet(list met, int rest, Question asked, Seen seen, Postings postings, Names names) except -1:
    """Notes each name once; how many they are. `met`, `rest`: see retrieve."""
    cdef array.array words, joining
    cdef uint32_t* word
    cdef Py_ssize_t many, n, w
    cdef const uint32_t* numbers
    cdef uint32_t[2 * TOGETHER] few  # names of rare words, of which few have a list that is worth a look of its own
    cdef int gathered
    cdef Needed needed
    needed.letters = rest + <int>sum([one[2] for one in met])
    for words, more, letters, needed.alike, needed.alike_beside in met:
        # Where each one's numbers are is looked up in three steps, for all words together: memory answers many as fast as one.
        word = words.data.as_uints
        for w in range(len(words)):
            fetch(&postings.words[word[w]])
        for w in range(len(words)):
            if postings.words[word[w]].count > 1:
                fetch(&postings.several[postings.words[word[w]].at])
        for w in range(len(words)):
            fetch(postings.of(word[w], &many))
        gathered = 0
        for w in range(len(words)):
            numbers = postings.of(word[w], &many)
            if many > TOGETHER:
                _meet(numbers, many, needed, asked, seen, names)
                continue
            for n in range(many):
                few[gathered + n] = numbers[n]
            gathered += many
            if gathered >= TOGETHER:
                _meet(few, gathered, needed, asked, seen, names)
                gathered = 0
        _meet(few, gathered, needed, asked, seen, names)
        for joining in more:
            _meet(joining.data.as_uints, len(joining), needed, asked, seen, names)
        needed.letters -= <int>letters
    return seen.found


cdef void _meet(const uint32_t* numbers, Py_ssize_t many, Needed needed, Question asked, Seen seen, Names names) noexcept nogil:
    cdef Py_ssize_t n
    cdef const Name* name
    cdef bint every = needed.alike_beside <= 0
    if not every:
        for n in range(min(TOGETHER, many)):
            fetch(&names.names[numbers[n]])
    for n in range(many):
        if not every:
            if n + TOGETHER < many:
                fetch(&names.names[numbers[n + TOGETHER]])
            name = &names.names[numbers[n]]
            if name.core_letters <= needed.letters:
                if _alike(name, asked, 0) < needed.alike:
                    continue
            elif needed.alike_beside > 1 or _alike(name, asked, 1) < needed.alike_beside:
                continue
        seen.note(numbers[n])


cdef double _alike(const Name* name, Question asked, int words) noexcept nogil:
    """At best, as wholes; `words`: that each has in place of the other's."""
    return max(
        likest(name.core_letters, name.core_signature, asked.core_size, asked.core_signature, words),
        likest(name.letters, name.signature, asked.full_size, asked.full_signature, words),
    )
