"""A unit test of one step: the op, called like the function that it is."""

from module4.lab3_dagster.assets import propose_trials
from module4.lab3_dagster.resources import Pipeline


def test_propose_trials() -> None:
    """The op yields an output per trial."""
    outputs = list(propose_trials(pipeline=Pipeline(config_json="tiny", registry_uri="", store="")))
    assert len(outputs) == 2
