"""Lists of one's own: an operator uploads how their files are to be read, and they are lists like all others from then on."""
