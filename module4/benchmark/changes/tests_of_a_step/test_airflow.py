"""A unit test of one step: the function inside the task."""

from pathlib import Path

from module4.lab1_airflow.environment import configure_airflow


def test_propose_trials(tmp_path: Path) -> None:
    """The task returns a JSON text per trial."""
    configure_airflow(str(tmp_path))  # Airflow reads its environment when it is imported
    from module4.lab1_airflow.training import propose_trials

    assert len(propose_trials.function("tiny")) == 2
