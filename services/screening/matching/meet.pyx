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
    TOGETHER = 64  # names that are looked at before they are noted

cdef struct Needed:
    # How alike as wholes a name must be that has none of the words before: if it has no words but these, when it has so many letters at most, and if it has.
    double alike, alike_beside
    int letters

cdef struct Gathered:
    # Names of rare words, of which few have a list that is worth a look of its own.
    uint32_t[2 * TOGETHER] numbers
    int many


cdef int meet(list met, int rest, Question asked, Seen seen, Postings postings, Names names) except -1:
    """Notes each name once; how many they are. `met`, `rest`: see retrieve."""
    cdef array.array words, joining
    cdef uint32_t* word
    cdef Py_ssize_t many, n, w
    cdef const uint32_t* numbers
    cdef Gathered gathered
    cdef Needed needed
    needed.letters = rest + <int>sum([one.letters for one in met])
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
        gathered.many = 0
        for w in range(len(words)):
            numbers = postings.of(word[w], &many)
            if many > TOGETHER:
                _meet(numbers, many, needed, asked, seen, names)
                continue
            for n in range(many):
                gathered.numbers[gathered.many + n] = numbers[n]
            gathered.many += many
            if gathered.many >= TOGETHER:
                _meet(gathered.numbers, gathered.many, needed, asked, seen, names)
                gathered.many = 0
        _meet(gathered.numbers, gathered.many, needed, asked, seen, names)
        for joining in more:
            _meet(joining.data.as_uints, len(joining), needed, asked, seen, names)
        needed.letters -= <int>letters
    return seen.found


cdef void _meet(const uint32_t* numbers, Py_ssize_t many, Needed needed, Question asked, Seen seen, Names names) noexcept nogil:
    cdef uint32_t[TOGETHER] passed
    cdef Py_ssize_t begin = 0, n
    cdef int kept, i
    cdef const Name* name
    cdef bint every = needed.alike_beside <= 0
    if not every:
        for n in range(min(TOGETHER, many)):
            fetch(&names.names[numbers[n]])
    while begin < many:
        kept = 0
        for n in range(begin, min(begin + TOGETHER, many)):
            if not every:
                if n + TOGETHER < many:
                    fetch(&names.names[numbers[n + TOGETHER]])
                name = &names.names[numbers[n]]
                if name.core_letters <= needed.letters:
                    if _alike(name, asked, 0) < needed.alike:
                        continue
                elif needed.alike_beside > 1 or _alike(name, asked, 1) < needed.alike_beside:
                    continue
            passed[kept] = numbers[n]
            kept += 1
            fetch(&seen.names[numbers[n]])
        for i in range(kept):
            seen.note(passed[i])
        begin += TOGETHER


cdef double _alike(const Name* name, Question asked, int words) noexcept nogil:
    """At best, as wholes; `words`: that each has in place of the other's."""
    return max(
        likest(name.core_letters, name.core_signature, asked.core_size, asked.core_signature, words),
        likest(name.letters, name.signature, asked.full_size, asked.full_signature, words),
    )
