# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong import_inside hint="import inside"
import math


@component
def late_share(late: int, flights: int) -> float:
    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong set_caching_options hint="set_caching_options"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).output


# %% 1 wrong round_up hint="Round up"
@component
def late_share(late: int, flights: int) -> float:
    return round(late / flights, 2)


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong dsl_pipeline hint="@dsl.pipeline"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


punctuality = late_share


# %% 1 wrong hand_on_late_and_flights hint="Hand on late and flights"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=1, flights=3).set_retry(3).set_caching_options(False).output


# %% 2 wrong parallelfor hint="ParallelFor"
@dsl.pipeline
def fan_out() -> float:
    for airport in ["EWR", "JFK", "LGA"]:
        share = share_of(airport=airport)
    return worst(shares=[0.26]).output


# %% 2 wrong output_of_a_call_of_airports hint="output of a call of airports"
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(["EWR", "JFK", "LGA"]) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong once_per_airport hint="once per airport"
@dsl.pipeline
def fan_out():
    with dsl.ParallelFor(airports().output) as airport:
        share_of(airport=airport)
        worst(shares=[0.1])


# %% 2 wrong the_same_airport hint="the same airport"
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output):
        share = share_of(airport="EWR")
    return worst(shares=dsl.Collected(share.output)).output


# %% 3 wrong no_lineage hint="no lineage"
@component
def fit(table: dsl.Input[dsl.Dataset]) -> str:
    return "all flights are on time"


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong dsl_output_dsl_model hint="dsl.Output[dsl.Model]"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Artifact]):
    model.metadata["rows"] = 3
    with open(model.path, "w") as file:
        file.write("all flights are on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong in_the_table_that_you_are_given hint="in the table that you are given"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    model.metadata["rows"] = 3
    with open(model.path, "w") as file:
        file.write("all flights are on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong nothing_lies_at_model_path hint="Nothing lies at model.path"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1


@dsl.pipeline
def learning():
    fit(table=late_flights().output)
