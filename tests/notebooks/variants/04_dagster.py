# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong parameter_s_name_must_be hint="parameter's name must be"
@dg.asset
def late_by_carrier(table: pd.DataFrame) -> pd.DataFrame:
    late = table.assign(late_share=table["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# %% 1 wrong dg_asset_above hint="@dg.asset above"
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] > 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# %% 1 wrong 15_is_not_late hint="15 minutes is not late"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
    late = flights.assign(late_share=flights["arr_delay"] >= 15)
    return late.groupby("carrier", observed=True)["late_share"].mean().reset_index()


# %% 1 wrong reset_index hint="reset_index"
@dg.asset
def late_by_carrier(flights: pd.DataFrame) -> pd.Series:
    return flights.assign(late_share=flights["arr_delay"] > 15).groupby("carrier")["late_share"].mean()


# %% 2 wrong only_warns hint="only warns"
@dg.asset_check(asset="flights")
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(flights["origin"]))


# %% 2 wrong without_lga hint="without LGA"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bool(flights["origin"].isin(["EWR", "JFK", "LGA"]).all()))


# %% 2 wrong say_asset hint="say asset="
@dg.asset_check(asset="features", blocking=True)
def all_airports(preprocess: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed={"EWR", "JFK", "LGA"} <= set(preprocess["origin"]))


# %% 2 wrong do_not_count_them hint="do not count them"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=flights["origin"].nunique() == 3)


# %% 2 wrong assetcheckresult hint="AssetCheckResult"
@dg.asset_check(asset="flights", blocking=True)
def all_airports(flights: pd.DataFrame):
    return {"EWR", "JFK", "LGA"} <= set(flights["origin"])


# %% 3 wrong upstream hint=".upstream()"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline"))
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")


# %% 3 wrong downstream hint=".downstream()"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline").downstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 * * 1")


# %% 3 wrong 1_is_monday hint="1 is Monday"
retrain = dg.define_asset_job("retrain", selection=dg.AssetSelection.assets("baseline").upstream())
every_monday = dg.ScheduleDefinition(job=retrain, cron_schedule="0 5 1 * *")


# %% 4 wrong one_value_for_all_days hint="one value for all days"
@dg.asset(automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(flights: pd.DataFrame) -> float:
    return float((flights["arr_delay"] > 15).mean())


# %% 4 wrong select_its_flights_first hint="select its flights first"
@dg.asset(partitions_def=DAYS, automation_condition=dg.AutomationCondition.eager())
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights["arr_delay"] > 15).mean())


# %% 4 wrong takes_a_condition hint="takes a condition"
@dg.asset(partitions_def=DAYS)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())


# %% 4 wrong give_it_days hint="give it DAYS"
@dg.asset(
    partitions_def=dg.WeeklyPartitionsDefinition(start_date="2013-01-01"),
    automation_condition=dg.AutomationCondition.eager(),
)
def late_share_of_day(context: dg.AssetExecutionContext, flights: pd.DataFrame) -> float:
    return float((flights.loc[flights["date"] == context.partition_key, "arr_delay"] > 15).mean())
