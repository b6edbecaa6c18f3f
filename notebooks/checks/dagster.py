"""Checks of lesson 4: the student's asset, check, job and schedule, materialized and evaluated by Dagster itself."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import dagster as dg
import pandas as pd
from dagster._utils.schedules import schedule_execution_time_iterator

from module4.lab3_dagster.assets import ASSETS
from module4.lab3_dagster.resources import resources
from notebooks.checks import AnswerError, Exercises, Finding, expect, kind_of, must, short, to_number

check = Exercises()

T = TypeVar("T")

SHARE_TOLERANCE = 0.005  # an answer may be rounded to two digits

FLIGHTS = pd.DataFrame(
    {
        "date": pd.to_datetime(["2013-03-02", "2013-03-02", "2013-03-02", "2013-03-03", "2013-03-03", "2013-03-03"]),
        "hour": pd.to_datetime(["2013-03-02 10:00"] * 3 + ["2013-03-03 10:00"] * 3),
        "departure_minute": [300, 360, 420, 480, 540, 600],
        "arrival_minute": [480, 540, 600, 660, 720, 780],
        "carrier": pd.Categorical(["AA", "AA", "UA", "UA", "B6", "B6"]),
        "airline": pd.Categorical(["American"] * 2 + ["United"] * 2 + ["JetBlue"] * 2),
        "flight": [1, 2, 3, 4, 5, 6],
        "tailnum": pd.Categorical(["N1", "N2", "N3", "N4", "N5", "N6"]),
        "origin": pd.Categorical(["EWR", "JFK", "LGA", "EWR", "JFK", "LGA"]),
        "dest": pd.Categorical(["BOS", "BOS", "ORD", "ORD", "LAX", "LAX"]),
        "distance": [200, 200, 733, 719, 2475, 2475],
        "arr_delay": [0.0, 16.0, 15.0, 3.0, 100.0, math.nan],
    }
)


def _is_asset(answer: Any, decorator: str = "@dg.asset") -> Finding:
    return must(
        isinstance(answer, dg.AssetsDefinition),
        "it is an asset",
        f"It is {kind_of(answer)}. Write {decorator} above the function.",
    )


def _apart(work: Callable[[], T]) -> T:
    """Run in another thread: Dagster starts an event loop, and a notebook's thread already has one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _materialize(instance: dg.DagsterInstance, answer: Any, table: pd.DataFrame, day: str | None = None) -> Any:
    """Materialize the answer from a table of flights, in memory. Raises AnswerError if that fails."""

    @dg.asset(name="flights")
    def source() -> pd.DataFrame:
        return table.copy(deep=True)

    def work() -> Any:
        return dg.materialize(
            [source, answer],
            instance=instance,
            resources={"io_manager": dg.mem_io_manager},
            partition_key=day,
            raise_on_error=False,
        )

    result = _apart(work)
    errors = [event.step_failure_data.error for event in result.get_step_failure_events()]
    # A blocking check that does not pass ends its step with an error, too: that is its job.
    errors = [error for error in errors if error and error.cls_name != "DagsterAssetCheckFailedError"]
    if errors:
        cause = errors[0].cause or errors[0]
        raise AnswerError(f"Materializing it ended with {cause.cls_name}: {cause.message.strip()[-400:]}")
    return result


def _parents(answer: Any) -> set[str]:
    return {key.to_user_string() for key in answer.dependency_keys}


@check.exercise(1, "late_by_carrier")
def late_by_carrier(answer: Any) -> Iterator[Finding]:
    """An asset made from flights, tried on six flights, one of which never arrived."""
    yield _is_asset(answer)
    yield expect(
        answer.key == dg.AssetKey("late_by_carrier"),
        "it is called late_by_carrier",
        f"It is called {answer.key.to_user_string()!r}: an asset has its function's name.",
    )
    yield must(
        _parents(answer) == {"flights"},
        "it is made from flights",
        f"Dagster thinks it is made from {', '.join(sorted(_parents(answer))) or 'nothing'}. The parameter's name must "
        "be the asset's name.",
    )
    known = FLIGHTS.dropna(subset=["arr_delay"])
    instance = dg.DagsterInstance.ephemeral()
    for rows, what in ((known, "five flights"), (known.iloc[::-1].iloc[:4], "four other flights")):
        table = _materialize(instance, answer, rows).asset_value(answer.key)
        yield must(
            isinstance(table, pd.DataFrame) and {"carrier", "late_share"} <= {*table.columns},
            "it returns a table with carrier and late_share",
            f"It returned {kind_of(table)}"
            + (f" with {', '.join(map(str, table.columns))}." if isinstance(table, pd.DataFrame) else ".")
            + " After groupby, reset_index() makes the groups a column. Is the `return` there?",
        )
        present = table[table["carrier"].isin(rows["carrier"].unique().tolist())]
        shares = {
            str(name): float(share) for name, share in zip(present["carrier"], present["late_share"], strict=True)
        }
        late = (rows["arr_delay"] > 15).groupby(rows["carrier"], observed=True).mean()
        right = {str(name): float(share) for name, share in late.items()}
        yield expect(
            len(present) == len(right)
            and {*shares} == {*right}
            and all(abs(shares[n] - right[n]) < SHARE_TOLERANCE for n in right),
            f"the shares are right for {what}",
            f"It made {shares} in {len(present)} rows. The right answer is {right}, one row per carrier. A flight "
            "is late from the 16th minute on; 15 minutes is not late.",
        )


@check.exercise(2, "all_airports")
def all_airports(answer: Any) -> Iterator[Finding]:
    """A blocking check, run by Dagster on tables with and without each airport."""
    yield must(
        isinstance(answer, dg.AssetChecksDefinition),
        "it is an asset check",
        f"It is {kind_of(answer)}. Write @dg.asset_check(asset=...) above the function.",
    )
    (spec,) = answer.check_specs
    yield must(
        spec.asset_key == dg.AssetKey("flights"),
        "it checks flights",
        f"It checks {spec.asset_key.to_user_string()!r}; say asset= in the decorator.",
    )
    good = FLIGHTS.astype({"origin": "str"})
    extra = pd.concat([good, good.iloc[:1].assign(origin="BOS")])
    tables = [
        (good, True, "a table with all three airports passes", "It refuses a table that has all three."),
        (extra, True, "a fourth airport does no harm", "It refuses a table with EWR, JFK, LGA and BOS."),
        (good[good["origin"] != "LGA"], False, "a table without LGA does not", "It accepts a table without LGA."),
        *(
            (
                good.assign(origin=good["origin"].replace(name, "BOS")),
                False,
                f"BOS does not replace {name}",
                f"It accepts a table with BOS and without {name}. Compare names, do not count them.",
            )
            for name in ("EWR", "JFK", "LGA")
        ),
    ]
    instance = dg.DagsterInstance.ephemeral()
    for table, right, what, hint in tables:
        found = _materialize(instance, answer, table).get_asset_check_evaluations()
        yield must(found, "it returns a check's result", "It returned none: return dg.AssetCheckResult(passed=...).")
        yield expect(found[0].passed == right, what, hint)
    yield expect(
        spec.blocking,
        "it blocks",
        "It only warns: the assets downstream are made anyway. Look for a parameter of the decorator.",
    )


@check.exercise(3, "retrain", "every_monday")
def retrain(job: Any, schedule: Any) -> Iterator[Finding]:
    """A job that makes three assets, and its schedule."""
    kind = "UnresolvedAssetJobDefinition"
    yield must(
        type(job).__name__ == kind,
        "retrain is a job of assets",
        f"It is {kind_of(job)}; call dg.define_asset_job(name, selection=...).",
    )
    defs = dg.Definitions(assets=ASSETS, jobs=[job], resources=resources("tiny", "/nowhere"))
    made = {key.to_user_string() for key in job.selection.resolve(defs.resolve_asset_graph())}
    yield expect(
        made == {"flights", "features", "baseline"},
        "it makes baseline and everything that baseline is made from",
        f"It makes {', '.join(sorted(made))}. A selection has .upstream(), for what it is made from, and "
        ".downstream(), for what is made from it.",
    )
    yield must(
        isinstance(schedule, dg.ScheduleDefinition),
        "every_monday is a schedule",
        f"It is {kind_of(schedule)}; call dg.ScheduleDefinition(job=..., cron_schedule=...).",
    )
    yield expect(
        schedule.job_name == job.name, "it runs the job", f"It runs {schedule.job_name!r}; give it job=retrain."
    )
    ticks = _ticks(schedule)
    yield must(
        ticks and all((tick.weekday(), tick.hour, tick.minute) == (0, 5, 0) for tick in ticks) and len(ticks) == 8,
        "it runs on Mondays at 05:00",
        f"{schedule.cron_schedule!r} means {', '.join(f'{tick:%A %H:%M}' for tick in ticks[:3]) or 'never'}. The five "
        "fields: minute hour day month weekday (1 is Monday).",
    )
    outcome = _apart(lambda: schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=ticks[0])))
    yield expect(
        outcome.run_requests,
        "it starts a run each time",
        f"On {ticks[0]:%A} it starts nothing: {outcome.skip_message or 'it skips'}.",
    )


def _ticks(schedule: Any) -> list[datetime]:
    """Return when the schedule runs in eight weeks, by its own clock."""
    start = datetime(2026, 3, 2, tzinfo=UTC)
    end = start + timedelta(weeks=8)
    ticks = []
    zone = schedule.execution_timezone or "UTC"
    for tick in schedule_execution_time_iterator(start.timestamp(), schedule.cron_schedule, zone):
        if tick.timestamp() >= end.timestamp():
            return ticks
        ticks.append(tick)
    return ticks


@check.exercise(4, "late_share_of_day")
def late_share_of_day(answer: Any) -> Iterator[Finding]:
    """An asset per day, materialized for two days."""
    yield _is_asset(answer, "@dg.asset(...)")
    days = answer.partitions_def
    yield must(
        isinstance(days, dg.DailyPartitionsDefinition) and len(days.get_partition_keys()) == 365,
        "it has a partition for each day of 2013",
        f"Its partitions are {short(days) if days else 'none: one value for all days'}. Look for a parameter of the "
        "decorator, and give it DAYS.",
    )
    yield must(
        _parents(answer) == {"flights"},
        "it is made from flights",
        f"Dagster thinks it is made from {', '.join(sorted(_parents(answer))) or 'nothing'}. Name a parameter flights; "
        "the context is called context.",
    )
    known = FLIGHTS.dropna(subset=["arr_delay"])
    month = pd.DateOffset(months=1)  # the same days a month later, all flights late
    later = known.assign(date=known["date"] + month, hour=known["hour"] + month, arr_delay=60.0)
    known = pd.concat([known, later])
    instance = dg.DagsterInstance.ephemeral()
    for day in ("2013-03-02", "2013-03-03"):
        value = _materialize(instance, answer, known, day).asset_value(answer.key)
        right = float((known.loc[known["date"] == day, "arr_delay"] > 15).mean())
        yield expect(
            (number := to_number(value)) is not None and abs(number - right) < SHARE_TOLERANCE,
            f"{day} has its own share",
            f"For that day it made {short(value)}; the right answer is {right:.3f}. context.partition_key is the day; "
            "select its flights first.",
        )
    condition = next(iter(answer.automation_conditions_by_key.values()), None)
    eager = dg.AutomationCondition.eager()
    yield expect(
        condition is not None and condition.with_label("eager") == eager.with_label("eager"),
        "Dagster makes it when something is new",
        f"Its condition is {short(condition)}. Look for a parameter of the decorator that takes a condition.",
    )
