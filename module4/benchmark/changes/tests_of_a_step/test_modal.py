"""A unit test of one step: the function, called here instead of in a container."""

from module4.lab4_modal.training import propose_trials


def test_propose_trials() -> None:
    """The function returns a JSON text per trial."""
    assert len(propose_trials.local("tiny")) == 2
