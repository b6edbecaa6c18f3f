"""The course: one source per lesson, the notebooks made from it, and what checks the exercises' answers."""
