"""The same pipeline of tasks that do nothing on every engine, each a short program in that engine's own idiom.

`python -m module4.benchmark.engines.NAME FOLDER` runs it once, with the engine's files in FOLDER.
"""
