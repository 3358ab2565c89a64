cdef void* grown(void* old, size_t had, size_t size) except NULL
