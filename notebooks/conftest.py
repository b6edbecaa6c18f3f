"""nbmake runs the student's notebooks as they stand; the solutions are executed by tests/notebooks, with parameters."""

collect_ignore = ["course", "lab", "site", "solutions", "source", "tools"]
