# Answers to the exercises of lesson 8, as students write them.

# %% 1 right loop
def over_python(rows):
    plain = next(row["seconds"] for row in rows if row["platform"] == "python")
    result = {}
    for row in rows:
        if row["status"] == "ok" and row["platform"] != "python":
            result[row["platform"]] = row["seconds"] - plain
    return result

# %% 1 right rounded_in_order
from collections import OrderedDict


def over_python(rows):
    base = {r["platform"]: r for r in rows}["python"]["seconds"]
    good = [r for r in rows if r["status"] == "ok" and r["platform"] != "python"]
    return OrderedDict((r["platform"], round(r["seconds"] - base, 1)) for r in good)

# %% 1 right the_tables_own_column
def over_python(rows):
    return {
        row["platform"]: row["over_python_seconds"]
        for row in rows
        if row["status"] == "ok" and row["platform"] != "python"
    }

# %% 1 right pandas
import pandas as pd


def over_python(rows):
    table = pd.DataFrame(rows).set_index("platform")
    seconds = table["seconds"][table["status"] == "ok"]
    return (seconds - seconds["python"]).drop("python").to_dict()

# %% 1 right numpy_numbers
import numpy as np


def over_python(rows):
    rows = [row for row in rows if row["status"] == "ok"]
    names, seconds = [row["platform"] for row in rows], np.array([row["seconds"] for row in rows])
    return {name: more for name, more in zip(names, seconds - seconds[names.index("python")]) if name != "python"}

# %% 1 right decimal
from decimal import Decimal


def over_python(rows):
    seconds = {row["platform"]: Decimal(str(row["seconds"])) for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}

# %% 1 right fraction
from fractions import Fraction


def over_python(rows):
    seconds = {row["platform"]: Fraction(row["seconds"]) for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}

# %% 1 right read_only_mapping
from types import MappingProxyType


def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    return MappingProxyType({name: more - seconds["python"] for name, more in seconds.items() if name != "python"})

# %% 1 right sorts_its_argument
def over_python(rows):
    rows.sort(key=lambda row: row["platform"] != "python")
    plain = rows.pop(0)
    for row in rows:
        row["seconds"] -= plain["seconds"]
    return {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}

# %% 1 right dictionary_of_defaults
from collections import defaultdict


def over_python(rows=()):
    found = defaultdict(float)
    for row in rows:
        if row["status"] == "ok":
            found[row["platform"]] += row["seconds"]
    plain = found.pop("python")
    for name in found:
        found[name] -= plain
    return found

# %% 1 wrong failed_ones_too hint="look at status"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}

# %% 1 wrong everything_that_did_not_fail hint="look at status"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] != "failed"}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}

# %% 1 wrong ratio hint="Subtract"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value / plain for name, value in seconds.items()}

# %% 1 wrong first_row hint="not by its place"
def over_python(rows):
    good = [row for row in rows if row["status"] == "ok"]
    return {row["platform"]: row["seconds"] - good[0]["seconds"] for row in good if row["platform"] != "python"}

# %% 1 wrong above_the_fastest
def over_python(rows):
    good = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    fastest = min(good.values())
    return {name: seconds - fastest for name, seconds in good.items() if name != "python"}

# %% 1 wrong with_python hint="leave it out"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    return {name: value - seconds["python"] for name, value in seconds.items()}

# %% 1 wrong distance hint="negative"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: abs(value - plain) for name, value in seconds.items()}

# %% 1 wrong slower_ones_alone
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items() if value > plain}

# %% 1 wrong other_direction
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: plain - value for name, value in seconds.items()}

# %% 1 wrong list_of_pairs hint="not a dictionary"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    return [(name, value - seconds["python"]) for name, value in seconds.items() if name != "python"]

# %% 1 wrong pandas_series hint="not a dictionary"
import pandas as pd


def over_python(rows):
    table = pd.DataFrame(rows).set_index("platform")
    seconds = table["seconds"][table["status"] == "ok"]
    return (seconds - seconds["python"]).drop("python")

# %% 1 wrong whole_seconds
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: round(value - plain) for name, value in seconds.items()}

# %% 1 wrong text_for_numbers
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: f"{value - plain:.1f}" for name, value in seconds.items()}

# %% 1 wrong titles_for_keys
def over_python(rows):
    plain = next(row["seconds"] for row in rows if row["platform"] == "python")
    return {r["title"]: r["seconds"] - plain for r in rows if r["status"] == "ok" and r["platform"] != "python"}

# %% 1 wrong column_of_the_steps
def over_python(rows):
    seconds = {row["platform"]: row["step_seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}

# %% 1 wrong the_lessons_rows
measured = [{"platform": "python", "status": "ok", "seconds": 20.0}, {"platform": "make", "status": "ok", "seconds": 18.5}]


def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in measured if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}

# %% 1 wrong forgotten_return hint="`return`"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    {name: value - plain for name, value in seconds.items()}

# %% 1 wrong remembers_other_tables
found = {}


def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    found.update({name: value - plain for name, value in seconds.items()})
    return found

# %% 1 wrong dictionary_per_platform
def over_python(rows):
    plain = next(row["seconds"] for row in rows if row["platform"] == "python")
    return {r["platform"]: {"seconds": r["seconds"] - plain} for r in rows if r["status"] == "ok" and r["platform"] != "python"}

# %% 1 wrong result_instead_of_function hint="def over_python"
over_python = {"modal": 25.0, "dagster": 3.5, "make": -1.5}

# %% 2 right loop
def choose(rows, can, needs):
    best = None
    for row in rows:
        if row["status"] != "ok" or not needs.issubset(can[row["platform"]]):
            continue
        if best is None or row["seconds"] < best["seconds"]:
            best = row
    return best and best["platform"]

# %% 2 right pandas
import pandas as pd


def choose(rows, can, needs):
    frame = pd.DataFrame(rows)
    frame = frame[(frame["status"] == "ok") & frame["platform"].map(lambda name: needs <= can.get(name, set()))]
    return None if frame.empty else frame.sort_values("seconds")["platform"].iloc[0]

# %% 2 right pairs_with_a_default
def choose(rows, can, needs):
    able = [(row["seconds"], row["platform"]) for row in rows if row["status"] == "ok" and not needs - can[row["platform"]]]
    return min(able, default=(None, None))[1]

# %% 2 right removes_from_its_arguments
def choose(rows, can, needs):
    for name in list(can):
        if not needs <= can[name]:
            del can[name]
    rows.sort(key=lambda row: row["seconds"])
    while rows:
        row = rows.pop(0)
        if row["status"] == "ok" and row["platform"] in can:
            return row["platform"]
    return None

# %% 2 right exception_for_none
def choose(rows, can, needs):
    able = (row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]])
    try:
        return min(able, key=lambda row: row["seconds"])["platform"]
    except ValueError:
        return None

# %% 2 right last_of_several_equals
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return max(reversed(able), key=lambda row: -row["seconds"])["platform"] if able else None

# %% 2 right named_arguments_alone
choose = lambda *, needs, can, rows: next(
    (
        row["platform"]
        for row in sorted(rows, key=lambda row: row["seconds"])
        if row["status"] == "ok" and all(need in can[row["platform"]] for need in needs)
    ),
    None,
)

# %% 2 right numpy
import numpy as np


def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    if not able:
        return None
    return np.array([row["platform"] for row in able])[np.argmin([row["seconds"] for row in able])]

# %% 2 right helper
def _able(row, can, needs):
    return row["status"] == "ok" and len(needs & can[row["platform"]]) == len(needs)


def choose(rows, can, needs, by="seconds"):
    able = {row["platform"]: row[by] for row in rows if _able(row, can, needs)}
    return min(able, key=able.get) if able else None

# %% 2 right the_column_above_python
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["over_python_seconds"])["platform"] if able else None

# %% 2 wrong failed_one hint="airflow, which failed"
def choose(rows, can, needs):
    able = [row for row in rows if needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong did_not_fail hint="made a different model"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] != "failed" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong one_need_is_enough hint="only modal"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and (not needs or needs & can[row["platform"]])]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong error_for_none hint="empty"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"]

# %% 2 wrong other_way_round hint="It returned 'python'"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and can[row["platform"]] <= needs]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong exactly_what_is_needed
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs == can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong more_than_is_needed
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs < can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong slowest
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return max(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong first_that_can
def choose(rows, can, needs):
    for row in rows:
        if row["status"] == "ok" and needs <= can[row["platform"]]:
            return row["platform"]

# %% 2 wrong first_name_in_the_alphabet
def choose(rows, can, needs):
    able = [row["platform"] for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, default=None)

# %% 2 wrong whole_row
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"]) if able else None

# %% 2 wrong list_of_one
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return [row["platform"] for row in sorted(able, key=lambda row: row["seconds"])][:1] or None

# %% 2 wrong text_for_none hint="'None'"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return str(min(able, key=lambda row: row["seconds"])["platform"] if able else None)

# %% 2 wrong empty_text_for_none hint="''"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else ""

# %% 2 wrong python_left_out hint="python is the fastest"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]] and row["platform"] != "python"]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong most_able
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return max(able, key=lambda row: (len(can[row["platform"]]), -row["seconds"]))["platform"] if able else None

# %% 2 wrong the_lessons_table
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= CAN[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None

# %% 2 wrong printed
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    print(min(able, key=lambda row: row["seconds"])["platform"] if able else None)

# %% 2 wrong title
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["title"] if able else None

# %% 2 wrong seconds_as_text
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: str(row["seconds"]))["platform"] if able else None

# %% 2 wrong least_memory
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["peak_memory_mib"])["platform"] if able else None

# %% 3 right dagster_for_the_nights
CASES = {"a": "make", "b": "dagster", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 right built_from_pairs
CASES = dict(zip("abcdef", ["make", "airflow", "modal", "kubeflow", "dagster", "python"]))

# %% 3 right read_only
from types import MappingProxyType

CASES = MappingProxyType({"f": "python", "e": "dagster", "d": "kubeflow", "c": "modal", "b": "airflow", "a": "make"})

# %% 3 wrong one_for_all hint="Three steps and no schedule"
CASES = dict.fromkeys("abcdef", "airflow")

# %% 3 wrong a_schedule_without_backfill hint="Case b, modal"
CASES = {"a": "make", "b": "modal", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong machines_of_ones_own hint="that you rent"
CASES = {"a": "make", "b": "airflow", "c": "kubeflow", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong containers_without_lineage hint="Case d, modal"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "modal", "e": "dagster", "f": "python"}

# %% 3 wrong a_case_is_missing hint="one entry for each case"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster"}

# %% 3 wrong upper_case hint="lower case"
CASES = {"a": "Make", "b": "Airflow", "c": "Modal", "d": "Kubeflow", "e": "Dagster", "f": "Python"}

# %% 3 wrong a_list hint="one entry for each case"
CASES = ["make", "airflow", "modal", "kubeflow", "dagster", "python"]

# %% 3 right comprehension
CASES = {letter: name for letter, name in zip("abcdef", "make dagster modal kubeflow dagster python".split())}

# %% 3 right keywords
CASES = dict(a="make", b="airflow", c="modal", d="kubeflow", e="dagster", f="python")

# %% 3 right step_by_step
CASES = {}
CASES["a"] = "make"
CASES["b"] = "dagster"
CASES["c"] = "modal"
CASES["d"] = "kubeflow"
CASES["e"] = "dagster"
CASES["f"] = "python"

# %% 3 right ordered
from collections import OrderedDict

CASES = OrderedDict(a="make", b="airflow", c="modal", d="kubeflow", e="dagster", f="python")

# %% 3 right default_dictionary
from collections import defaultdict

CASES = defaultdict(str, {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"})

# %% 3 right chained
from collections import ChainMap

CASES = ChainMap({"a": "make", "b": "airflow", "c": "modal"}, {"d": "kubeflow", "e": "dagster", "f": "python"})

# %% 3 right from_platforms
by_platform = {"make": "a", "airflow": "b", "modal": "c", "kubeflow": "d", "dagster": "e", "python": "f"}
CASES = {case: name for name, case in by_platform.items()}

# %% 3 wrong make_at_night hint="Case b, make"
CASES = {"a": "make", "b": "make", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong kubeflow_at_night hint="Case b, kubeflow"
CASES = {"a": "make", "b": "kubeflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong python_at_night hint="Case b, python"
CASES = {"a": "make", "b": "python", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong airflow_for_trials hint="Case c, airflow"
CASES = {"a": "make", "b": "airflow", "c": "airflow", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong dagster_for_trials hint="Case c, dagster"
CASES = {"a": "make", "b": "airflow", "c": "dagster", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong make_for_trials hint="Case c, make"
CASES = {"a": "make", "b": "airflow", "c": "make", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong airflow_at_the_bank hint="Case d, airflow"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "airflow", "e": "dagster", "f": "python"}

# %% 3 wrong dagster_at_the_bank hint="Case d, dagster"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "dagster", "e": "dagster", "f": "python"}

# %% 3 wrong make_at_the_bank hint="Case d, make"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "make", "e": "dagster", "f": "python"}

# %% 3 wrong airflow_for_tables hint="Case e, airflow"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "airflow", "f": "python"}

# %% 3 wrong kubeflow_for_tables hint="Case e, kubeflow"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "kubeflow", "f": "python"}

# %% 3 wrong modal_for_tables hint="Case e, modal"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "modal", "f": "python"}

# %% 3 wrong dagster_for_a_script hint="Case f, dagster"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "dagster"}

# %% 3 wrong make_for_a_script hint="Case f, make"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "make"}

# %% 3 wrong dagster_on_a_laptop hint="Case a, dagster"
CASES = {"a": "dagster", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong python_on_a_laptop hint="Case a, python"
CASES = {"a": "python", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong modal_on_a_laptop hint="Case a, modal"
CASES = {"a": "modal", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "python"}

# %% 3 wrong airflow_for_a_script hint="Case f, airflow"
CASES = {"a": "make", "b": "airflow", "c": "modal", "d": "kubeflow", "e": "dagster", "f": "airflow"}
