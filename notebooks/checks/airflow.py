"""Checks of lesson 2: they read the student's DAG object through Airflow's own attributes."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.definitions.mappedoperator import MappedOperator

from notebooks.checks import Exercises, Finding, expect, must

check = Exercises()

AT_FIVE = {"0 5 * * *", "00 5 * * *", "0 05 * * *", "00 05 * * *"}


def _is_dag(answer: object) -> Finding:
    return must(
        isinstance(answer, DAG),
        "it is a DAG",
        f"It is a {type(answer).__name__}. A function decorated with @dag returns the DAG when it is called: `name()`.",
    )


def _has_tasks(dag: Any, *names: str) -> Finding:
    missing = [name for name in names if name not in dag.task_ids]
    return must(
        not missing,
        f"it has the task{'s' * (len(names) > 1)} {', '.join(names)}",
        f"Missing: {', '.join(missing)}; there is {', '.join(dag.task_ids) or 'no task'}. A task belongs to the DAG in "
        "whose function it is called.",
    )


@check.exercise(1)
def morning(dag: Any) -> Iterator[Finding]:
    """Two tasks in a row, daily at five, nothing to catch up on."""
    yield _is_dag(dag)
    yield _has_tasks(dag, "count_flights", "report")
    yield expect(
        "count_flights" in dag.get_task("report").upstream_task_ids,
        "report waits for count_flights",
        "There is no arrow between them. Pass what count_flights() returns to report(...).",
    )
    cron = getattr(dag.timetable, "expression", None)
    yield expect(
        cron in AT_FIVE,
        "it runs every day at 05:00",
        f"Airflow has understood {cron or dag.schedule!r}. A cron expression is: minute hour day month weekday; @daily "
        "means midnight.",
    )
    start = dag.start_date and dag.start_date.date()
    yield expect(
        start == date(2026, 3, 1),
        "the first day is 1 March 2026",
        f"start_date is {start}. Without it no schedule begins; it takes a datetime.",
    )
    yield expect(
        dag.catchup is False,
        "it does not catch up",
        "With catchup=True Airflow would at once start a run for each day since start_date.",
    )


@check.exercise(2)
def patient(dag: Any) -> Iterator[Finding]:
    """Three more tries, with growing pauses."""
    yield _is_dag(dag)
    yield _has_tasks(dag, "download")
    task = dag.get_task("download")
    yield expect(
        task.retries == 3,
        "three more tries",
        f"download has retries={task.retries}. Say it in @task(...), or for all tasks in @dag(default_args=...).",
    )
    yield expect(
        task.retry_delay == timedelta(seconds=10),
        "the first pause is ten seconds",
        f"retry_delay is {task.retry_delay}, it takes a timedelta; without it Airflow waits five minutes.",
    )
    yield expect(
        task.retry_exponential_backoff is True or task.retry_exponential_backoff > 1,
        "the pauses grow",
        "All pauses are equal now. Look for a parameter that begins with retry_exponential; a number is what each "
        "pause is multiplied by.",
    )


@check.exercise(3)
def per_airport(dag: Any) -> Iterator[Finding]:
    """One mapped task between a list and its summary."""
    yield _is_dag(dag)
    yield _has_tasks(dag, "airports", "late_share", "worst")
    mapped = dag.get_task("late_share")
    yield must(
        isinstance(mapped, MappedOperator),
        "late_share is mapped: a task instance per airport",
        "It is one task that gets the whole list, or one call per airport written out. Call "
        "late_share.expand(airport=...) with the list's promise.",
    )
    yield expect(
        "airports" in mapped.upstream_task_ids,
        "the list comes from airports, when the run has got so far",
        "The list is written into the DAG: a fourth airport would need a new DAG file. Expand over what airports() "
        "returns.",
    )
    yield expect(
        "late_share" in dag.get_task("worst").upstream_task_ids,
        "worst gets what all of them return",
        "worst does not wait for late_share. Pass what .expand(...) returns to worst(...).",
    )
    yield expect(
        not isinstance(dag.get_task("worst"), MappedOperator),
        "worst runs once",
        "worst is mapped too: an instance for each share, and none sees all of them. Call worst(...) without expand.",
    )


@check.exercise(4)
def on_new_model(dag: Any) -> Iterator[Finding]:
    """A DAG that waits for an event of one asset, and for no clock."""
    yield _is_dag(dag)
    yield _has_tasks(dag, "announce")
    condition = getattr(dag.timetable, "asset_condition", None)
    waits_for = sorted(asset.name for asset in getattr(condition, "objects", [condition]) if hasattr(asset, "name"))
    outlets = sorted(asset.name for task in dag.tasks for asset in task.outlets)
    told = f" Its task has {', '.join(outlets)} as an outlet: it would make the event." if outlets else ""
    yield must(
        waits_for == ["production-model"],
        "it waits for the asset production-model",
        f"It waits for {', '.join(waits_for) or 'no asset'}.{told} A schedule can be an asset, which is known by its "
        "name, to the letter.",
    )
    yield expect(
        not hasattr(dag.timetable, "timetable"),
        "it runs at no other time",
        "It has a timetable beside the asset. AssetOrTimeSchedule means: at events, and by the clock too.",
    )
