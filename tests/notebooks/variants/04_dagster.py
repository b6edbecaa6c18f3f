# Answers to the exercises of lesson 4, as students write them.

# %% 1 right aggregated_with_options
@dg.asset(group_name="exercise", kinds={"pandas"}, description="Shares.", tags={"lesson": "4"})
def late_by_carrier(flights):
    frame = flights.assign(late=flights.arr_delay > 15)
    return frame.groupby("carrier", as_index=False, observed=True).agg(late_share=("late", "mean"))

# %% 1 right named_in_the_decorator
def _share(group):
    return float((group > 15).sum()) / len(group)


@dg.asset(name="late_by_carrier")
def my_asset(flights: pd.DataFrame) -> pd.DataFrame:
    rows = [{"carrier": c, "late_share": _share(g["arr_delay"])} for c, g in flights.groupby("carrier", observed=True)]
    return pd.DataFrame(rows)


late_by_carrier = my_asset

# %% 1 right decorated_by_hand
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    out = flights.groupby("carrier", observed=True)["arr_delay"].apply(lambda delay: (delay > 15).mean())
    return out.to_frame("late_share").reset_index()


late_by_carrier = dg.asset(late_by_carrier)

# %% 1 right with_a_context
@dg.asset
def late_by_carrier(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    table = late.groupby("carrier", observed=True)["late_share"].mean().reset_index()
    context.add_output_metadata({"carriers": len(table)})
    return table

# %% 1 right materialize_result
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> dg.MaterializeResult:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    table = late.groupby("carrier", observed=True)["late_share"].mean().reset_index()
    return dg.MaterializeResult(value=table, metadata={"rows": len(table)})

# %% 1 right other_parameter_name
@dg.asset(ins={"table": dg.AssetIn("flights")})
def late_by_carrier(table: pd.DataFrame) -> pd.DataFrame:
    late = table[table["arr_delay"] > 15].groupby("carrier", observed=False)["flight"].count()
    every = table.groupby("carrier", observed=False)["flight"].count()
    return (late / every).fillna(0).rename("late_share").reset_index()

# %% 1 right asynchronous
@dg.asset
async def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()

# %% 1 right changes_its_argument
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    flights["late_share"] = flights.pop("arr_delay") > 15
    flights["carrier"] = flights["carrier"].astype(str)
    return flights.pivot_table(values="late_share", index="carrier", aggfunc="mean").reset_index()

# %% 1 right yielded_output
@dg.asset
def late_by_carrier(flights: pd.DataFrame):
    shares = {}
    for carrier, delay in zip(flights["carrier"], flights["arr_delay"]):
        late, every = shares.get(carrier, (0, 0))
        shares[carrier] = (late + (delay > 15), every + 1)
    rows = [{"carrier": name, "late_share": late / every, "flights": every} for name, (late, every) in shares.items()]
    yield dg.Output(pd.DataFrame(rows), metadata={"carriers": len(rows)})

# %% 1 wrong parameter_is_no_asset hint="parameter's name must"
@dg.asset
def late_by_carrier(table: pd.DataFrame) -> pd.DataFrame:
    late = table.assign(late_share=table["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()

# %% 1 wrong no_decorator hint="@dg.asset above"
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()

# %% 1 wrong fifteen_is_late hint="15 minutes is not late"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] >= 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()

# %% 1 wrong series hint="reset_index"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.Series:
    return flights.assign(late_share=flights["arr_delay"] > 15).groupby("carrier", observed=True)["late_share"].mean()

# %% 1 wrong row_per_flight hint="one row per carrier"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    table = flights.assign(late=flights["arr_delay"] > 15)
    table["late_share"] = table.groupby("carrier", observed=True)["late"].transform("mean")
    return table[["carrier", "late_share"]]

# %% 1 wrong share_of_all_flights
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return (late.groupby("carrier", observed=True)["late_share"].sum() / len(flights)).reset_index()

# %% 1 wrong dependency_without_data
@dg.asset(deps=["flights"])
def late_by_carrier() -> pd.DataFrame:
    return pd.DataFrame({"carrier": ["AA", "UA", "B6"], "late_share": [0.5, 0.0, 1.0]})

# %% 1 wrong carriers_without_late_flights_missing
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights[flights["arr_delay"] > 15].groupby("carrier", observed=True).size()
    return (late / flights.groupby("carrier", observed=True).size()).rename("late_share").dropna().reset_index()

# %% 1 wrong called_with_an_asset hint="The cell with your answer ended with" raises="DagsterTypeCheckDidNotPass"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


late_by_carrier = late_by_carrier(flights)

# %% 1 wrong called_with_a_table hint="@dg.asset above"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


late_by_carrier = late_by_carrier(table)

# %% 1 wrong printed
@dg.asset
def late_by_carrier(flights: pd.DataFrame):
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    print(late.groupby("carrier", observed=True)["late_share"].mean().reset_index())

# %% 1 wrong forgotten_return hint="`return`"
@dg.asset
def late_by_carrier(flights: pd.DataFrame):
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    late.groupby("carrier", observed=True)["late_share"].mean().reset_index()

# %% 1 wrong other_name hint="It is called 'late_share'"
@dg.asset
def late_share(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


late_by_carrier = late_share

# %% 1 wrong counts_instead_of_shares
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].sum().reset_index()

# %% 1 wrong mean_delay
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    return flights.groupby("carrier", observed=True)["arr_delay"].mean().rename("late_share").reset_index()

# %% 1 wrong percent
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=100 * (flights["arr_delay"] > 15))
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()

# %% 2 right asset_object_and_metadata
@dg.asset_check(asset=flights, blocking=True, description="All airports.")
def all_airports(table: pd.DataFrame) -> dg.AssetCheckResult:
    missing = {"EWR", "JFK", "LGA"} - set(table["origin"].unique())
    return dg.AssetCheckResult(passed=not missing, metadata={"missing": ", ".join(sorted(missing))})

# %% 2 right with_a_context
@dg.asset_check(asset="flights", blocking=True)
def all_airports(context: dg.AssetCheckExecutionContext, flights: pd.DataFrame) -> dg.AssetCheckResult:
    context.log.info("%s flights", len(flights))
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"}.issubset(flights["origin"]))

# %% 2 right numpy
import numpy as np


@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bool(np.isin(["EWR", "JFK", "LGA"], flights["origin"].astype(str)).all()))

# %% 2 right value_counts
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights):
    counts = flights["origin"].value_counts()
    return dg.AssetCheckResult(passed=all(counts.get(name, 0) > 0 for name in ("EWR", "JFK", "LGA")))

# %% 2 right asynchronous
@dg.asset_check(asset="flights", blocking=True)
async def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(flights["origin"]))

# %% 2 right by_key
@dg.asset_check(asset=dg.AssetKey("flights"), blocking=True, name="airports")
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    for name in ("EWR", "JFK", "LGA"):
        if not (flights["origin"] == name).any():
            return dg.AssetCheckResult(passed=False, description=f"{name} is missing")
    return dg.AssetCheckResult(passed=True)

# %% 2 right with_a_severity
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    found = flights.loc[flights["origin"].isin(["EWR", "JFK", "LGA"]), "origin"].astype(str).nunique()
    return dg.AssetCheckResult(passed=found == 3, severity=dg.AssetCheckSeverity.ERROR)

# %% 2 right decorated_by_hand
def _all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=not {"EWR", "JFK", "LGA"}.difference(flights["origin"].tolist()))


all_airports = dg.asset_check(asset="flights", name="all_airports", blocking=True)(_all_airports)

# %% 2 wrong only_warns hint="only warns"
@dg.asset_check(asset="flights")
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(flights["origin"]))

# %% 2 wrong every_flight_from_one_of_them hint="without LGA"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bool(flights["origin"].isin(["EWR", "JFK", "LGA"]).all()))

# %% 2 wrong other_asset hint="say asset="
@dg.asset_check(asset="features", blocking=True)
def all_airports(preprocess: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(preprocess["origin"]))

# %% 2 wrong counts_airports hint="do not count them"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=flights["origin"].nunique() >= 3)

# %% 2 wrong truth_value hint="AssetCheckResult"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame):
    return {"EWR", "JFK", "LGA"} <= set(flights["origin"])

# %% 2 wrong last_airport_alone hint="without EWR"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed="EWR" and "JFK" and "LGA" in set(flights["origin"]))

# %% 2 wrong refuses_a_fourth hint="BOS"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=set(flights["origin"]) == {"EWR", "JFK", "LGA"})

# %% 2 wrong any_of_them hint="without LGA"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bool(set(flights["origin"]) & {"EWR", "JFK", "LGA"}))

# %% 2 wrong raises_an_error hint="AssertionError"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    assert {"EWR", "JFK", "LGA"} <= set(flights["origin"])
    return dg.AssetCheckResult(passed=True)

# %% 2 wrong in_the_index
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=all(name in flights["origin"] for name in ["EWR", "JFK", "LGA"]))

# %% 2 wrong always_passes
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True, metadata={"airports": "EWR, JFK, LGA"})

# %% 2 wrong the_other_way
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bool({"EWR", "JFK", "LGA"} - set(flights["origin"])))

# %% 2 wrong destinations
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(flights["dest"]))

# %% 2 wrong no_decorator hint="@dg.asset_check"
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(flights["origin"]))

# %% 2 wrong an_asset hint="@dg.asset_check"
@dg.asset
def all_airports(flights: pd.DataFrame) -> bool:
    return {"EWR", "JFK", "LGA"} <= set(flights["origin"])

# %% 3 right list_of_names
retrain = dg.define_asset_job(name="weekly", selection=["flights", "features", "baseline"], description="x")
every_monday = dg.ScheduleDefinition(
    name="every_monday", job=retrain, cron_schedule="0 5 * * MON", execution_timezone="Europe/Zurich"
)

# %% 3 right selection_in_text
retrain = dg.define_asset_job("retrain", "+key:baseline or key:features or key:flights")
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * mon")

# %% 3 right leading_zeros
retrain = dg.define_asset_job("retrain", dg.AssetSelection.keys("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="00 05 * * 1")

# %% 3 right decorated_schedule
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())


@dg.schedule(job=retrain, cron_schedule="0 5 * * 1")
def every_monday(context):
    return dg.RunRequest(run_key=str(context.scheduled_execution_time), tags={"lesson": "4"})

# %% 3 right target
from module4.lab3_dagster.assets import baseline

retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets(flights, features, baseline))
every_monday = dg.ScheduleDefinition("every_monday", target=retrain, cron_schedule="0 5 * * 1")

# %% 3 right union
one = dg.AssetSelection.assets("baseline")
retrain = dg.define_asset_job("retrain", one | one.upstream(include_self=False))
every_monday = dg.ScheduleDefinition(
    job=retrain, cron_schedule="0 5 * * 1", default_status=dg.DefaultScheduleStatus.RUNNING
)

# %% 3 right times_in_a_list
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule=["0 5 * * 1"], tags={"why": "weekly"})

# %% 3 right spaces_and_steps
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream(), tags={"lesson": "4"})
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0  5 * */1 1")

# %% 3 right by_the_jobs_name
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job_name="retrain", cron_schedule="0 5 * * 1", run_config={})

# %% 3 wrong baseline_alone hint=".upstream()"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline"))
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% 3 wrong downstream hint=".downstream()"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline").downstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% 3 wrong first_of_the_month hint="1 is Monday"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 1 * *")

# %% 3 wrong without_baseline hint="It makes features, flights"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream(include_self=False))
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% 3 wrong one_level hint="It makes baseline, features"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream(depth=1))
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% 3 wrong everything
retrain = dg.define_asset_job("retrain")
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% 3 wrong sunday hint="Sunday 05:00"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 0")

# %% 3 wrong five_past_midnight hint="Monday 00:05"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="5 0 * * 1")

# %% 3 wrong every_minute hint="Monday 05:01"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="* 5 * * 1")

# %% 3 wrong weekly hint="Sunday 00:00"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="@weekly")

# %% 3 wrong mondays_in_march
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * 3 1")

# %% 3 wrong mondays_and_the_first
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 1 * 1")

# %% 3 wrong job_alone hint="every_monday is still to be written"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())

# %% 3 wrong mistyped_asset
retrain = dg.define_asset_job("retrain", ["flights", "features", "basline"])
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% 3 wrong other_job hint="It runs 'train'"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=dg.define_asset_job("train"), cron_schedule="0 5 * * 1")

# %% 3 wrong always_skips hint="not today"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())


@dg.schedule(job=retrain, cron_schedule="0 5 * * 1")
def every_monday(context):
    return dg.SkipReason("not today")

# %% 3 wrong selection_instead_of_a_job raises="CheckError"
retrain = dg.AssetSelection.assets("baseline").upstream()
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% 3 wrong cron_text hint="ScheduleDefinition"
retrain = dg.define_asset_job("retrain", dg.AssetSelection.assets("baseline").upstream())
every_monday = "0 5 * * 1"

# %% 4 right day_as_text
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager(), group_name="exercise")
def late_share_of_day(context, flights):
    day = flights["date"].dt.strftime("%Y-%m-%d")
    return (flights.loc[day == context.partition_key, "arr_delay"] > 15).mean()

# %% 4 right own_partitions_and_dates
from datetime import date


@dg.asset(
    partitions_def=dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01"),
    automation_condition=dg.AutomationCondition.eager(),
)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    of_day = flights[flights["date"].dt.date == date.fromisoformat(context.partition_key)]
    return float((of_day["arr_delay"] > 15).sum() / len(of_day))

# %% 4 right dates_as_text
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights[flights["date"].astype(str) == context.partition_key]["arr_delay"] > 15).mean())

# %% 4 right grouped_with_another_name
@dg.asset(
    ins={"table": dg.AssetIn("flights")}, partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager()
)
def late_share_of_day(context: dg.AssetExecutionContext, table: pd.DataFrame) -> float:
    return float((table["arr_delay"] > 15).groupby(table["date"]).mean()[context.partition_key])

# %% 4 right output_with_metadata
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame):
    of_day = flights[flights["date"] == context.partition_key]
    return dg.Output(float((of_day["arr_delay"] > 15).mean()), metadata={"flights": len(of_day)})

# %% 4 right logs
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    of_day = flights[flights["date"].eq(context.partition_key)]
    context.log.info(f"{len(of_day)} flights")
    context.add_output_metadata({"flights": len(of_day)})
    return float((of_day["arr_delay"] > 15).mean())

# %% 4 right labelled_condition
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager().with_label("when new"))
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return round(float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean()), 3)

# %% 4 right hours_of_the_day
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    of_day = flights.set_index("hour").loc[context.partition_key]
    return float(of_day["arr_delay"].gt(15).mean())

# %% 4 right time_window
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager(), retry_policy=dg.RetryPolicy())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    start = pd.Timestamp(context.partition_time_window.start).tz_localize(None)
    flights = flights[(flights["date"] >= start) & (flights["date"] < start + pd.Timedelta(days=1))]
    return float((flights["arr_delay"] > 15).mean())

# %% 4 wrong no_partitions hint="one value for all days"
@dg.asset(automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(flights: pd.DataFrame) -> float:
    return float((flights["arr_delay"] > 15).mean())

# %% 4 wrong all_days_together hint="select its flights first"
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights["arr_delay"] > 15).mean())

# %% 4 wrong no_condition hint="takes a condition"
@dg.asset(partitions_def=DAYS)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())

# %% 4 wrong weeks hint="give it DAYS"
@dg.asset(
    partitions_def=dg.WeeklyPartitionsDefinition(start_date="2013-01-01"),
    automation_condition=dg.AutomationCondition.eager(),
)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())

# %% 4 wrong up_to_the_day
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] <= context.partition_key, "arr_delay"] > 15).mean())

# %% 4 wrong on_missing hint="Its condition is"
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.on_missing())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())

# %% 4 wrong label_that_only_says_eager hint="Its condition is"
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.on_cron("@weekly").with_label("eager"))
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())

# %% 4 wrong value_per_flight
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame):
    return flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15

# %% 4 wrong same_day_of_every_month
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    of_day = flights[flights["date"].dt.day == int(context.partition_key[-2:])]
    return float((of_day["arr_delay"] > 15).mean())

# %% 4 wrong fifteen_is_late
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] >= 15).mean())

# %% 4 wrong share_of_all_flights
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    late = flights[flights["arr_delay"] > 15]
    return float((late["date"] == context.partition_key).sum() / len(flights))

# %% 4 wrong days_of_another_year
@dg.asset(
    partitions_def=dg.DailyPartitionsDefinition(start_date="2012-01-02", end_date="2013-01-01"),
    automation_condition=dg.AutomationCondition.eager(),
)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())

# %% 4 wrong forgotten_return
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame):
    (flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean()

# %% 4 wrong text_for_a_number
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> str:
    return f"{(flights.loc[flights['date'] == context.partition_key, 'arr_delay'] > 15).mean():.3f}"

# %% 4 wrong no_decorator hint="@dg.asset"
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())
