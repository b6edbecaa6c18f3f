"""The processes in which functions run: when they start and stop, and what they are given."""
