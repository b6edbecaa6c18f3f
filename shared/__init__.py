"""The training code that every platform runs: it never imports an orchestrator."""

import os

# scikit-learn's threads wait for each other by spinning, for long unless told otherwise before it is imported. When
# trials, tests or platforms share the processors, that made training ten times slower. The model is the same.
os.environ.setdefault("GOMP_SPINCOUNT", "300")
