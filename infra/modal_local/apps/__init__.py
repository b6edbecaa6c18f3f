"""Apps, the functions that they define, the calls of these, and their schedules."""
