"""The training code that every platform runs: it never imports an orchestrator."""

import os

# scikit-learn's threads wait for each other by spinning, unless told so before it is imported. When trials, tests or
# platforms share the processors, spinning made training up to ten times slower. The model is the same either way.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
