"""nbmake runs the student's notebooks as they stand; the solutions are executed by tests/notebooks, with parameters."""

collect_ignore = ["solutions", "source", "site"]
