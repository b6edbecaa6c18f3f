"""The parts of the benchmark: what each measures, and the rows of its table."""
