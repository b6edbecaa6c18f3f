# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 right from_import_and_statements
@component
def late_share(late: int, flights: int) -> float:
    from math import ceil

    return ceil(late * 100 / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int):
    share = late_share(late=late, flights=flights)
    share.set_caching_options(enable_caching=False)
    share.set_retry(num_retries=3)


# %% 1 right negative_floor
@component
def late_share(late: int, flights: int) -> float:
    return -(-late * 100 // flights) / 100


@dsl.pipeline(name="punctuality", description="One task.")
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 right fractions
@component
def late_share(late: int, flights: int) -> float:
    import math
    from fractions import Fraction

    return float(Fraction(math.ceil(Fraction(100 * late, flights)), 100))


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 right numpy_declared
@dsl.component(base_image="python:3.12", packages_to_install=["numpy>=2,<3"])
def late_share(late: int, flights: int) -> float:
    import numpy as np

    return float(np.ceil(100 * late / flights) / 100)


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 right more_parameters_with_defaults
@component
def late_share(late: int, flights: int, digits: int = 2) -> float:
    import math

    factor = 10**digits
    return math.ceil(factor * late / flights) / factor


@dsl.pipeline
def punctuality(late: int, flights: int, title: str = "today") -> float:
    task = late_share(late=late, flights=flights, digits=2)
    task.set_retry(3).set_caching_options(False).set_display_name("share").set_memory_limit("1G")
    return task.output


# %% 1 right in_a_pipeline_inside
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def inner(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return inner(late=late, flights=flights).output


# %% 1 right longer_backoff_and_another_task
@component
def say(share: float) -> str:
    return f"{share:.0%}"


@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> str:
    share = late_share(late=late, flights=flights)
    share.set_retry(3, backoff_duration="10s", backoff_factor=2.0).set_caching_options(False)
    return say(share=share.output).output


# %% 1 right decorators_as_functions
def late_share(late: int, flights: int) -> float:
    """Return the share."""

    def up(number: float) -> int:
        import math

        return math.ceil(number)

    return up(100 * late / flights) / 100


late_share = component(late_share)


def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


punctuality = dsl.pipeline(punctuality)


# %% 1 right tries_numpy_and_does_without
@component
def late_share(late: int, flights: int) -> float:
    try:
        from numpy import ceil
    except ImportError:
        from math import ceil

    return float(ceil(100 * late / flights)) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong exchanged hint="late_share got {'late': 3, 'flights': 1}"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=flights, flights=late).set_retry(3).set_caching_options(False).output


# %% 1 wrong numpy_not_declared hint="No module named 'numpy'"
@component
def late_share(late: int, flights: int) -> float:
    from numpy import ceil

    return float(ceil(100 * late / flights)) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong pandas_where_no_input_leads hint="No module named 'pandas'"
@component
def late_share(late: int, flights: int) -> float:
    import math

    if flights < 0:
        import pandas as pd

        return float(pd.Series([late]).sum())
    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong the_courses_own_package hint="No module named 'shared'"
@component
def late_share(late: int, flights: int) -> float:
    import math

    from shared import config

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong constant_where_few_inputs_lead hint="name 'NOTHING' is not defined"
NOTHING = 0.0


@component
def late_share(late: int, flights: int) -> float:
    import math

    if flights == 0:
        return NOTHING
    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong helper_outside hint="name 'round_up' is not defined"
def round_up(share: float) -> float:
    import math

    return math.ceil(100 * share) / 100


@component
def late_share(late: int, flights: int) -> float:
    return round_up(late / flights)


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong one_more_each_time hint="Right is"
@component
def late_share(late: int, flights: int) -> float:
    return (100 * late // flights + 1) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong rounded_down
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.floor(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong not_rounded
@component
def late_share(late: int, flights: int) -> float:
    return late / flights


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong forgotten_return hint="Is the `return` missing?"
@component
def late_share(late: int, flights: int) -> float:
    import math

    math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong called_twice hint="called more than once"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    late_share(late=late, flights=flights)
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


# %% 1 wrong two_retries hint="It has 2 retries"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(2).set_caching_options(False).output


# %% 1 wrong no_parameters hint="It has none"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality() -> float:
    return late_share(late=1, flights=3).set_retry(3).set_caching_options(False).output


# %% 1 wrong one_more_parameter_needed hint="It also needs day"
@component
def late_share(late: int, flights: int) -> float:
    import math

    return math.ceil(100 * late / flights) / 100


@dsl.pipeline
def punctuality(day: str, late: int, flights: int) -> float:
    return late_share(late=late, flights=flights).set_retry(3).set_caching_options(False).output


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


# %% 2 right names_and_statements
@dsl.pipeline
def fan_out() -> float:
    names = airports()
    with dsl.ParallelFor(items=names.output, name="each") as airport:
        one = share_of(airport=airport)
    shares = dsl.Collected(one.output)
    highest = worst(shares=shares)
    return highest.output


# %% 2 right limited_but_parallel
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output, parallelism=10) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 right without_a_result
@dsl.pipeline
def fan_out():
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    worst(shares=dsl.Collected(share.output))


# %% 2 right loop_in_a_pipeline_inside
@dsl.pipeline
def each(names: list[str]) -> list[float]:
    with dsl.ParallelFor(names) as airport:
        share = share_of(airport=airport)
    return dsl.Collected(share.output)


@dsl.pipeline
def fan_out() -> float:
    return worst(shares=each(names=airports().output).output).output


# %% 2 right all_but_worst_in_a_pipeline_inside
@dsl.pipeline
def each() -> list[float]:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return dsl.Collected(share.output)


@dsl.pipeline
def fan_out() -> float:
    return worst(shares=each().output).output


# %% 2 right everything_in_a_pipeline_inside
@dsl.pipeline
def inner(title: str) -> float:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


@dsl.pipeline
def fan_out(title: str = "today") -> float:
    return inner(title=title).output


# %% 2 right outputs_by_name_and_options
@dsl.pipeline(name="fan-out")
def fan_out() -> float:
    names = airports().set_retry(2)
    with dsl.ParallelFor(names.outputs["Output"]) as airport:
        share = share_of(airport=airport).set_retry(2).set_caching_options(False)
    return worst(shares=dsl.Collected(share.outputs["Output"])).set_cpu_limit("1").output


# %% 2 right a_task_behind
@component
def say(share: float) -> str:
    return f"{share:.0%}"


@dsl.pipeline
def fan_out() -> str:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return say(share=worst(shares=dsl.Collected(share.output)).output).output


# %% 2 right other_parameter_names
@component
def worst(values: list[float], least: float = 0.0) -> float:
    return max([least, *values])


@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(values=dsl.Collected(share.output)).output


# %% 2 right decorator_as_a_function
def fan_out() -> float:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


fan_out = dsl.pipeline(fan_out)


# %% 2 wrong one_at_a_time hint="parallelism=1"
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(items=airports().output, name="each", parallelism=1) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong one_at_a_time_in_a_pipeline_inside hint="parallelism=1"
@dsl.pipeline
def each(names: list[str]) -> list[float]:
    with dsl.ParallelFor(names, parallelism=1) as airport:
        share = share_of(airport=airport)
    return dsl.Collected(share.output)


@dsl.pipeline
def fan_out() -> float:
    return worst(shares=each(names=airports().output).output).output


# %% 2 wrong called_twice hint="called more than once"
@dsl.pipeline
def fan_out() -> float:
    airports()
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong list_written_out_after_airports hint="over the output of a call of airports"
@dsl.pipeline
def fan_out() -> float:
    names = airports()
    with dsl.ParallelFor(["EWR", "JFK", "LGA"]) as airport:
        share = share_of(airport=airport).after(names)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong python_loop hint="A Python for writes tasks out"
@dsl.pipeline
def fan_out() -> float:
    airports()
    shares = [share_of(airport=name).output for name in ("EWR", "JFK", "LGA")]
    return worst(shares=shares).output


# %% 2 wrong constant_after_the_loop hint="worst got {'shares': [0.26, 0.22, 0.23]}"
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=[0.26, 0.22, 0.23]).after(share).output


# %% 2 wrong a_fixed_airport_in_the_loop hint="share_of got ['JFK', 'JFK', 'JFK']"
@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output):
        share = share_of(airport="JFK")
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong worst_in_the_loop hint="once per airport"
@dsl.pipeline
def fan_out():
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
        worst(shares=[share.output])


# %% 2 wrong forgotten_worst hint="worst: not there"
@dsl.pipeline
def fan_out():
    with dsl.ParallelFor(airports().output) as airport:
        share_of(airport=airport)


# %% 2 wrong forgotten_return hint="share_of: It returned None"
@component
def share_of(airport: str) -> float:
    {"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}[airport]


@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong only_the_first hint="share_of got ['EWR']"
@component
def first(names: list[str]) -> list[str]:
    return names[:1]


@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(first(names=airports().output).output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong everything_in_python hint="dsl.ParallelFor"
@component
def share_of_all(names: list[str]) -> list[float]:
    return [{"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}[name] for name in names]


@dsl.pipeline
def fan_out() -> float:
    return worst(shares=share_of_all(names=airports().output).output).output


# %% 2 wrong table_from_outside hint="name 'SHARES' is not defined"
SHARES = {"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}


@component
def share_of(airport: str) -> float:
    return SHARES[airport]


@dsl.pipeline
def fan_out() -> float:
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 2 wrong a_plain_function hint="@dsl.pipeline"
def fan_out():
    with dsl.ParallelFor(airports().output) as airport:
        share = share_of(airport=airport)
    return worst(shares=dsl.Collected(share.output)).output


# %% 3 right short_names_and_csv
from kfp.dsl import Dataset, Input, Model, Output


@component
def fit(table: Input[Dataset], model: Output[Model]):
    import csv

    with open(table.path) as file:
        rows = list(csv.DictReader(file))
    with open(model.path, "w") as file:
        file.write("late" if rows and rows[0]["late"] == "1" else "on time")
    model.metadata["rows"] = len(rows)


@dsl.pipeline
def learning() -> Model:
    table = late_flights()
    return fit(table=table.outputs["table"]).outputs["model"]


# %% 3 right model_before_table
@component
def fit(model: dsl.Output[dsl.Model], table: dsl.Input[dsl.Dataset]):
    from pathlib import Path

    model.metadata = {"rows": len(Path(table.path).read_text().splitlines()) - 1}
    Path(model.path).write_text("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 right keyword_only
@component
def fit(*, table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = sum(1 for _ in file) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 right pandas_declared
@dsl.component(base_image="python:3.12", packages_to_install=["pandas==2.2.3"])
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    import pandas as pd

    frame = pd.read_csv(table.path)
    model.metadata["rows"] = len(frame)
    pd.Series({"late": frame["late"].sum()}).to_json(model.path)


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 right more_inputs_and_outputs
@component
def fit(
    table: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    text: str,
    note: str = "",
) -> int:
    with open(table.path) as file:
        rows = len(file.read().splitlines()) - 1
    metrics.log_metric("rows", rows)
    model.metadata.update(rows=rows, note=note, framework="none")
    with open(model.path, "w") as file:
        file.write(text)
    return rows


@dsl.pipeline
def learning(text: str = "on time") -> int:
    task = fit(table=late_flights().output, text=text)
    task.set_caching_options(False).set_retry(2)
    return task.outputs["Output"]


# %% 3 right in_a_pipeline_inside
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def training(table: dsl.Input[dsl.Dataset]) -> dsl.Model:
    return fit(table=table).outputs["model"]


@dsl.pipeline
def learning() -> dsl.Model:
    return training(table=late_flights().output).output


# %% 3 right path_of_the_input
@component
def fit(table: dsl.InputPath("Dataset"), model: dsl.Output[dsl.Model]):
    with open(table) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 right pickled
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    import pickle

    with open(table.path) as file:
        _, *flights = file
    with open(model.path, "wb") as file:
        pickle.dump({"late": sum(line.endswith("1\n") for line in flights)}, file)
    model.metadata["rows"] = len(flights)


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 right a_task_behind
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@component
def show(model: dsl.Input[dsl.Model]):
    with open(model.path) as file:
        print(file.read())


@dsl.pipeline
def learning():
    show(model=fit(table=late_flights().output).outputs["model"])


# %% 3 wrong pandas_not_declared hint="No module named 'pandas'"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    import pandas

    model.metadata["rows"] = len(pandas.read_csv(table.path))
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong another_package_declared hint="No module named 'pandas'"
@dsl.component(base_image="python:3.12", packages_to_install=["numpy"])
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    import pandas

    model.metadata["rows"] = len(pandas.read_csv(table.path))
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong import_outside hint="name 'csv' is not defined"
import csv


@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(list(csv.DictReader(file)))
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong header_counted hint="the model's metadata is {'rows': 4}"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines())
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong rows_as_text hint="{'rows': '3'}"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = str(len(file.readlines()) - 1)
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong metadata_of_the_table
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        table.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong another_key
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["n_rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong empty_file hint="is empty"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    open(model.path, "w").close()


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong a_folder hint="A folder is not a file"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    import os

    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    os.makedirs(model.path)
    with open(f"{model.path}/model.txt", "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong file_of_that_name hint="no file at model.path"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open("model", "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong path_as_a_text hint="no lineage"
@component
def fit(table: str, model: dsl.Output[dsl.Model]):
    model.metadata["rows"] = 3
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    late_flights()
    fit(table="table.csv")


# %% 3 wrong plain_artifacts hint="dsl.Input[dsl.Dataset]"
@component
def fit(table: dsl.Input[dsl.Artifact], model: dsl.Output[dsl.Artifact]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(table=late_flights().output)


# %% 3 wrong other_names hint="Annotate the parameter table"
@component
def fit(data: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(data.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    fit(data=late_flights().output)


# %% 3 wrong a_table_of_its_own hint="in the table that you are given"
@component
def other_flights(table: dsl.Output[dsl.Dataset]):
    with open(table.path, "w") as file:
        file.write("carrier,late\nAA,0\nUA,1\nB6,0\n")


@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    first = late_flights()
    fit(table=other_flights().output).after(first)


# %% 3 wrong fitted_twice hint="called more than once"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


@dsl.pipeline
def learning():
    table = late_flights().output
    fit(table=table)
    fit(table=table)


# %% 3 wrong the_component_alone hint="Decorate the function with @dsl.pipeline"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1
    with open(model.path, "w") as file:
        file.write("on time")


learning = fit


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


# %% 3 wrong no_file_at_model_path hint="no file at model.path"
@component
def fit(table: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    with open(table.path) as file:
        model.metadata["rows"] = len(file.readlines()) - 1


@dsl.pipeline
def learning():
    fit(table=late_flights().output)
