"""The measured comparison of the platforms: `python -m module4.benchmark`."""
