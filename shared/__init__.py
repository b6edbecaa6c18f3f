"""The training code that every platform runs: it never imports an orchestrator."""
