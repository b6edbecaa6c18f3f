# Plausible wrong answers, and a word that the hint must have.


# %% exercise=1 hint="parameter's name must be"
@dg.asset
def late_by_carrier(table: pd.DataFrame) -> pd.DataFrame:
    late = table.assign(late_share=table["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# %% exercise=1 hint="@dg.asset above"
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# %% exercise=1 hint="15 is not late"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] >= 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# %% exercise=1 hint="reset_index"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.Series:
    return flights.assign(late_share=flights["arr_delay"] > 15).groupby("carrier")["late_share"].mean()


# %% exercise=2 hint="only warns"
@dg.asset_check(asset="flights")
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(flights["origin"]))


# %% exercise=2 hint="without LGA"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bool(flights["origin"].isin(["EWR", "JFK", "LGA"]).all()))


# %% exercise=2 hint="say asset="
@dg.asset_check(asset="features", blocking=True)
def all_airports(preprocess: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(preprocess["origin"]))


# %% exercise=3 hint=".upstream()"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline"))
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% exercise=3 hint=".downstream()"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline").downstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")

# %% exercise=3 hint="1 is Monday"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 1 * *")


# %% exercise=4 hint="one value for all days"
@dg.asset(automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(flights: pd.DataFrame) -> float:
    return float((flights["arr_delay"] > 15).mean())


# %% exercise=4 hint="select its flights first"
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights["arr_delay"] > 15).mean())


# %% exercise=4 hint="takes a condition"
@dg.asset(partitions_def=DAYS)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())


# %% exercise=4 hint="give it DAYS"
@dg.asset(
    partitions_def=dg.WeeklyPartitionsDefinition(start_date="2013-01-01"),
    automation_condition=dg.AutomationCondition.eager(),
)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())


# %% exercise=2 hint="do not count them"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=flights["origin"].nunique() == 3)


# %% exercise=2 hint="AssetCheckResult"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame):
    return {"EWR", "JFK", "LGA"} <= set(flights["origin"])
