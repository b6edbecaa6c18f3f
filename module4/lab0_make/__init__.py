"""Lab 0: the pipeline as a Makefile."""
