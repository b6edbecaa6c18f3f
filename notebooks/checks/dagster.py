"""Checks of lesson 4: the student's asset, check, job and schedule, asked through Dagster's own objects."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd

from module4.lab3_dagster.assets import ASSETS
from module4.lab3_dagster.resources import resources
from notebooks.checks import Exercises, Finding, expect, must

check = Exercises()

FLIGHTS = pd.DataFrame(
    {
        "carrier": ["AA", "AA", "UA", "UA", "B6"],
        "origin": ["EWR", "JFK", "LGA", "EWR", "JFK"],
        "date": pd.to_datetime(["2013-03-02", "2013-03-02", "2013-03-02", "2013-03-03", "2013-03-03"]),
        "arr_delay": [0.0, 16.0, 15.0, 3.0, 100.0],
    }
)


def _is_asset(answer: Any, decorator: str = "@dg.asset") -> Finding:
    return must(
        isinstance(answer, dg.AssetsDefinition),
        "it is an asset",
        f"It is a {type(answer).__name__}. Write {decorator} above the function.",
    )


@check.exercise(1)
def late_by_carrier(answer: Any) -> Iterator[Finding]:
    """An asset made from load_data, tried on five flights."""
    yield _is_asset(answer)
    yield expect(
        answer.key == dg.AssetKey("late_by_carrier"),
        "it is called late_by_carrier",
        f"It is called {answer.key.to_user_string()}: an asset has its function's name.",
    )
    parents = {key.to_user_string() for key in answer.dependency_keys}
    yield must(
        parents == {"load_data"},
        "it is made from load_data",
        f"Dagster thinks it is made from {', '.join(parents) or 'nothing'}. The parameter's name must be the "
        "asset's name.",
    )
    table = answer(FLIGHTS)
    yield must(
        isinstance(table, pd.DataFrame) and {"carrier", "late_share"} <= {*table.columns},
        "it returns a table with carrier and late_share",
        f"It returned a {type(table).__name__}"
        + (f" with {', '.join(map(str, table.columns))}." if isinstance(table, pd.DataFrame) else ".")
        + " After groupby, reset_index() makes the groups a column.",
    )
    shares = dict(zip(table["carrier"], table["late_share"], strict=True))
    yield expect(
        shares == {"AA": 0.5, "UA": 0.0, "B6": 1.0},
        "the shares are right",
        f"Of five flights it made {shares}; a flight is late from the 16th minute on, and 15 is not late.",
    )


@check.exercise(2)
def all_airports(answer: Any) -> Iterator[Finding]:
    """A blocking check, tried on a good table and on one that lacks an airport."""
    yield must(
        isinstance(answer, dg.AssetChecksDefinition),
        "it is an asset check",
        f"It is a {type(answer).__name__}. Write @dg.asset_check(asset=...) above the function.",
    )
    (spec,) = answer.check_specs
    yield must(
        spec.asset_key == dg.AssetKey("load_data"),
        "it checks load_data",
        f"It checks {spec.asset_key.to_user_string()}; say asset= in the decorator.",
    )
    good, bad = answer(FLIGHTS), answer(FLIGHTS[FLIGHTS["origin"] != "LGA"])
    yield must(
        isinstance(good, dg.AssetCheckResult),
        "it returns a check's result",
        f"It returned a {type(good).__name__}: return dg.AssetCheckResult(passed=...).",
    )
    yield expect(good.passed, "a table with all three airports passes", "It refuses a table that has all three.")
    yield expect(not bad.passed, "a table without LGA does not", "It lets a table pass in which LGA is missing.")
    other = answer(FLIGHTS.assign(origin=FLIGHTS["origin"].replace("LGA", "BOS")))
    yield expect(
        not other.passed,
        "three airports are not enough: it must be these three",
        "It lets a table pass with EWR, JFK and BOS. Compare names, do not count them.",
    )
    yield expect(
        spec.blocking,
        "it blocks",
        "It only warns: what comes after is made all the same. Look for a parameter of the decorator.",
    )


@check.exercise(3)
def retrain(job: Any, schedule: Any) -> Iterator[Finding]:
    """A job that makes three assets, and its schedule."""
    kind = "UnresolvedAssetJobDefinition"
    yield must(
        type(job).__name__ == kind,
        "retrain is a job of assets",
        f"It is a {type(job).__name__}; call dg.define_asset_job(name, selection=...).",
    )
    defs = dg.Definitions(assets=ASSETS, jobs=[job], resources=resources("tiny", "/nowhere"))
    made = {key.to_user_string() for key in job.selection.resolve(defs.resolve_asset_graph())}
    yield expect(
        made == {"load_data", "preprocess", "train"},
        "it makes train and everything that train is made from",
        f"It makes {', '.join(sorted(made))}. A selection has .upstream(), for what it is made from, and "
        ".downstream(), for what is made from it.",
    )
    yield must(
        isinstance(schedule, dg.ScheduleDefinition),
        "every_monday is a schedule",
        f"It is a {type(schedule).__name__}; call dg.ScheduleDefinition(job=..., cron_schedule=...).",
    )
    yield expect(schedule.job_name == job.name, "it runs the job", f"It runs {schedule.job_name}; give it job=retrain.")
    yield expect(
        schedule.cron_schedule in ("0 5 * * 1", "0 5 * * MON", "0 5 * * Mon", "0 5 * * mon"),
        "it runs on Mondays at 05:00",
        f"{schedule.cron_schedule!r} is something else. The five fields: minute hour day month weekday (1 is Monday).",
    )


@check.exercise(4)
def late_share_of_day(answer: Any) -> Iterator[Finding]:
    """An asset per day, tried on two days."""
    yield _is_asset(answer, "@dg.asset(...)")
    days = answer.partitions_def
    yield must(
        isinstance(days, dg.DailyPartitionsDefinition) and len(days.get_partition_keys()) == 365,
        "it has a partition for each day of 2013",
        f"Its partitions are {days or 'none: one value for all days'}. Look for a parameter of the decorator, and "
        "give it DAYS.",
    )
    parents = {key.to_user_string() for key in answer.dependency_keys}
    yield must(
        parents == {"load_data"},
        "it is made from load_data",
        f"Dagster thinks it is made from {', '.join(sorted(parents)) or 'nothing'}. Name a parameter load_data; the "
        "context is called context.",
    )
    shares = [answer(dg.build_asset_context(partition_key=f"2013-03-0{day}"), FLIGHTS) for day in (2, 3)]
    yield expect(
        [round(float(share), 3) for share in shares] == [0.333, 0.5],
        "each day has its own share",
        f"Of 3 flights on 2 March one is late, of 2 on 3 March one, and it made {shares}. context.partition_key is "
        "the day; select its flights first.",
    )
    condition = next(iter(answer.automation_conditions_by_key.values()), None)
    yield expect(
        condition is not None and condition.get_label() == "eager",
        "it is made by itself when something is new",
        "It waits until somebody asks for it. Look for a parameter of the decorator that takes a condition.",
    )
