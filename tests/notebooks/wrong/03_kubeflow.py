# Plausible wrong answers, and a word that the hint must have.

# %% exercise=1 hint="import inside"
import math


@component
def late_share(late: int, flights: int) -> float:
    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% exercise=1 hint="set_caching_options"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).output


# %% exercise=1 hint="Round up"
@component
def late_share(late: int, flights: int) -> float:
    return round(late / flights, 2)


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% exercise=1 hint="@dsl.pipeline"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


punctuality = late_share


# %% exercise=2 hint="ParallelFor"
@dsl.pipeline
def fan_out() -> float:
    for airport in ["EWR", "JFK", "LGA"]:
        share = share_of(airport=airport)
    return worst(shares=[0.26]).output


# %% exercise=2 hint="output of a call of airports"
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(["EWR", "JFK", "LGA"]) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% exercise=2 hint="once per airport"
@dsl.pipeline
def fan_out():
    with dsl.ParallelFor(airports().output) as airport:
        share_of(airport=airport)
        worst(shares=[0.1])


# %% exercise=3 hint="no lineage"
@component
def fit(table: dsl.Input[dsl.Dataset]) -> str:
    return "all flights are on time"


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% exercise=3 hint="dsl.Output[dsl.Model]"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Artifact]):
    model.metadata["rows"] = 3
    with open(model.path, "w") as file:
        file.write("all flights are on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% exercise=3 hint="in the table that you are given"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    model.metadata["rows"] = 3
    with open(model.path, "w") as file:
        file.write("all flights are on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% exercise=3 hint="Nothing lies at model.path"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% exercise=1 hint="Hand on late and flights"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=1, flights=3).set_retry(3).set_caching_options(False).output


# %% exercise=2 hint="the same airport"
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output):
        share = share_of(airport="EWR")
    return worst(shares=dsl.Collected(share.output)).output
