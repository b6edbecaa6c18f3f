"""A unit test of one step: the function inside the component."""

from module4.lab2_kubeflow.components import propose_trials


def test_propose_trials() -> None:
    """The component returns a JSON text per trial."""
    assert len(propose_trials.python_func(config="tiny", code="")) == 2
