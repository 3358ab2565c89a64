"""The matcher: a library without I/O. Names in, scores and reasons out."""
