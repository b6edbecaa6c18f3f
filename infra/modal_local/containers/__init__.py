"""The processes in which functions run: what they are given, and when they start and end."""
