"""Official lists: which we know, how their files become entries, and what changed between two releases. One module a publisher."""
