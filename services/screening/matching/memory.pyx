# cython: language_level=3
"""Compiled: memory for arrays that are read here and there: a large one lies in large pages where the system has them, for else finding the page takes longer
than reading it (Linux, `madvise(2)`: MADV_HUGEPAGE)."""

cdef extern from *:
    """
    #include <stdlib.h>
    #include <string.h>
    #if defined(__linux__)
    #include <sys/mman.h>
    #endif

    enum { PAGE = 2 << 20, LARGE = 2 * PAGE };

    static void* moved(void* old, size_t had, size_t size) {
        void* room;
        if (size < LARGE) return realloc(old, size ? size : 1);
        if (posix_memalign(&room, PAGE, size)) return NULL;
    #if defined(__linux__)
        madvise(room, size, MADV_HUGEPAGE);
    #endif
        if (had) memcpy(room, old, had);
        free(old);
        return room;
    }
    """
    void* moved(void* old, size_t had, size_t size)


cdef void* grown(void* old, size_t had, size_t size) except NULL:
    """More memory in place of the old, to be freed by `free`; what was in its first `had` bytes is there again."""
    cdef void* room = moved(old, had, size)
    if not room:
        raise MemoryError
    return room
