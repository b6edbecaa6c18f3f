"""Malformed configurations, days, data files and command lines, generated: a sentence of ours, and nothing written.

Each strategy makes input that is wrong by construction, so what is accepted is a failure. The examples are the same
each time.
"""

import copy
import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from typer.testing import CliRunner

from shared import data
from shared.__main__ import app
from shared.config import FaultKind, parse, preset
from shared.errors import ConfigError, DataError, PipelineError
from shared.faults import parse_fault
from shared.inference import parse_day
from shared.trials import TrialResult, parse_trial, propose_trials

set_hypothesis_home_dir("/dev/null/hypothesis")  # it keeps nothing


def examples(number: int) -> settings:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=number, deadline=None, derandomize=True, database=None, suppress_health_check=checks)


@contextmanager
def refused(kind: type[PipelineError] = PipelineError) -> Iterator[None]:
    """Expect one sentence of ours."""
    with pytest.raises(PipelineError) as caught:
        yield
    assert isinstance(caught.value, kind), caught.value
    assert re.search(r"\w.*[.…]$", str(caught.value), re.DOTALL), str(caught.value)


@contextmanager
def refused_or_right(name: str) -> Iterator[None]:
    """Allow a sentence of ours that names something, and no other error."""
    refusal = ""
    try:
        yield
    except PipelineError as error:
        refusal = str(error)
    assert not refusal or name in refusal


def written(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


# Configurations ---------------------------------------------------------------------------------------------------

VALID = json.loads(preset("tiny").to_json())
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.just([]),
    st.just({}),
    st.lists(st.integers(), min_size=1, max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), min_size=1, max_size=2),
    st.sampled_from(
        ["", "3", "true", "nan", "\x00", "2013-02-30", "2013-13-01", "1362355200", "x" * 2000, "../..", "é"]
    ),
    st.sampled_from([-1, 0, 10**30, -(10**30), 0.5, -0.5, 1e300, 3.5]),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in items for found in paths(inner, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy in which the value at the path is replaced."""
    if not path:
        return new
    result = copy.deepcopy(value)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return result


def is_possible(config: dict[str, Any]) -> bool:
    """Whether the replaced value happens to be a possible one; asked of the types and limits that are documented."""
    hyper, gate, watch = (config.get(name) for name in ("baseline", "gate", "monitoring"))

    def whole(value: Any, low: float, high: float) -> bool:
        return type(value) is int and low <= value <= high

    def number(value: Any, low: float, high: float, above: bool = False) -> bool:
        return type(value) in (int, float) and low <= value <= high and not (above and value == low)

    def group(value: Any, **checks: Callable[[Any], bool]) -> bool:
        return isinstance(value, dict) and value.keys() <= checks.keys() and all(checks[k](v) for k, v in value.items())

    share: Callable[[Any], bool] = lambda value: number(value, 0, 1)  # noqa: E731
    return (
        config["preset"] in ("tiny", "lab", "full")
        and all(config[day] == VALID[day] for day in ("test_start", "data_begin", "data_end"))
        and config["train_weeks"] in (1, 2, 3)
        and type(config["train_weeks"]) is int
        and whole(config["validation_weeks"], 1, 1)
        and whole(config["test_weeks"], 1, 52)
        and whole(config["trials"], 1, 200)
        and whole(config["seed"], 0, 2**32 - 1)
        and group(
            hyper,
            learning_rate=lambda value: number(value, 0, 1, above=True),
            max_iter=lambda value: whole(value, 1, 2000),
            max_leaf_nodes=lambda value: whole(value, 2, 255),
            min_samples_leaf=lambda value: whole(value, 1, 10**40),
            l2_regularization=lambda value: number(value, 0, 10**400),
            max_features=lambda value: number(value, 0, 1, above=True),
        )
        and group(
            gate,
            min_roc_auc=share,
            max_calibration_error=share,
            min_origin_roc_auc=share,
            max_log_loss_increase=lambda value: number(value, 0, 10**400),
        )
        and group(
            watch,
            window_days=lambda value: whole(value, 1, 365),
            max_calibration_gap=lambda value: number(value, 0, 1, above=True),
            max_prediction_psi=lambda value: number(value, 0, 10**400, above=True),
        )
        and (config["data_folder"] is None or 1 <= len(config["data_folder"]) <= 1000)
        and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(config["model_name"])) is not None
        and len(config["model_name"]) <= 64
        and isinstance(config["model_name"], str)
        and config["tracking"] in ("disabled", "offline", "online")
        and config["fault"] is None
    )


@st.composite
def wrong_configs(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["replace", "replace", "replace", "remove", "unknown", "twice", "cut", "insert"]))
    text = json.dumps(VALID)
    if kind == "replace":
        config = replaced(VALID, draw(st.sampled_from(paths(VALID))), draw(JUNK))
        with suppress(KeyError, TypeError, AttributeError):  # then it is far from possible
            assume(not is_possible(config))
        return json.dumps(config)
    if kind == "remove":
        required = ("preset", "test_start", "train_weeks", "validation_weeks", "test_weeks", "trials")
        name = draw(st.sampled_from(required))
        return json.dumps({key: value for key, value in VALID.items() if key != name})
    if kind == "unknown":
        place = draw(st.sampled_from([(), ("baseline",), ("gate",), ("monitoring",)]))
        name = draw(st.text(min_size=1, max_size=20).filter(lambda name: name not in json.dumps(VALID)))
        return json.dumps(replaced(VALID, (*place, name), draw(JUNK)))
    if kind == "twice":
        name = draw(st.sampled_from(sorted(VALID)))
        return f"{text[:-1]}, {json.dumps(name)}: {json.dumps(VALID[name])}}}"
    position = draw(st.integers(0, len(text) - 1))
    if kind == "cut":
        return text[:position]
    # Outside of texts and numbers, where a letter cannot be part of a value.
    assume(text[position] in "{}:," and text[:position].count('"') % 2 == 0)
    added = draw(st.sampled_from(["x", "{", "]", "\x00", "NaN", "1"]))
    assume(added != "1" or not text[position - 1 : position].isdigit())  # it would be a digit more of that number
    return text[:position] + added + text[position:]


@examples(200)
@given(wrong_configs())
def test_a_malformed_configuration_is_refused(text: str) -> None:
    with refused(ConfigError):
        parse(text)


@examples(60)
@given(
    st.text(max_size=30)
    | st.builds("{}:{}:{}".format, *[st.sampled_from(["train", "fail", "", "-1", "0", "x", "²"])] * 3)
)
def test_a_malformed_fault_is_refused(text: str) -> None:
    assume(not re.fullmatch(rf"[a-z_]+:({'|'.join(get_args(FaultKind))})(:0*[1-9][0-9]*)?", text))
    with refused(ConfigError):
        preset("tiny", fault=parse_fault(text, "store"))


TRIAL = json.loads(propose_trials(preset("tiny"))[0].model_dump_json())
RESULT = TRIAL | {"log_loss": 0.5, "roc_auc": 0.7}


@examples(60)
@given(st.sampled_from(paths(RESULT)), JUNK, st.sampled_from(["replace", "twice", "unknown", "cut"]))
def test_a_malformed_result_of_a_trial_is_refused(path: tuple[str, ...], junk: Any, kind: str) -> None:
    text = json.dumps(RESULT)
    if kind == "replace":
        score = path in (("log_loss",), ("roc_auc",)) and type(junk) in (int, float) and 0 <= junk <= 1
        possible = type(junk) in (int, float) and (
            path[:1] == ("hyperparameters",) or (path == ("log_loss",) and junk >= 0)
        )
        assume(not score and not possible and not (path == ("number",) and type(junk) is int and junk >= -1))
        assume(not (path == ("hyperparameters",) and junk == {}))
        text = json.dumps(replaced(RESULT, path, junk))
    elif kind == "unknown":
        text = json.dumps(RESULT | {"unknown": junk})
    elif kind == "twice":
        text = f'{text[:-1]}, "number": 1}}'
    else:
        text = text[: len(text) // 2]
    with refused(ConfigError):
        parse_trial(TrialResult, text)


# Days -------------------------------------------------------------------------------------------------------------

DAY = "2013-03-12"
AFTER_A_DAY = st.sampled_from(
    ["garbage", "/../../../escape", "\n", "T", "T25:00", " ", "\x00", "-", "Z", "T00:00x", "é"]
)
DAYS = st.one_of(
    st.text(max_size=30),
    AFTER_A_DAY.map(lambda text: DAY + text),
    AFTER_A_DAY.map(lambda text: text + DAY),
    st.dates().filter(lambda day: not date(2013, 1, 1) <= day <= date(2014, 1, 1)).map(str),
    st.builds("2013-{:02}-{:02}".format, st.integers(13, 99), st.integers(0, 99)),
    st.builds("2013-{}-{}".format, st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from(["20130312", "2013-W11-2", "2013-071", "1363046400", "٢٠١٣-٠٣-١٢", "2013/03/12", "2013-02-29"]),
)


@examples(120)
@given(DAYS)
def test_a_malformed_day_is_refused(text: str) -> None:
    with refused(DataError):
        parse_day(text)


# Data files -------------------------------------------------------------------------------------------------------

SOURCES = {
    "airlines.csv": "carrier,name\nUA,United\nAA,American\n",
    "airports.csv": "faa,name,lat,lon,alt,tz,dst,tzone\nIAH,Houston,29.9,-95.3,97,-6,A,America/Chicago\n"
    "MIA,Miami,25.7,-80.2,8,-5,A,America/New_York\n",
    "planes.csv": "tailnum,year,type,manufacturer,model,engines,seats,speed,engine\n"
    "N14228,1999,Fixed,BOEING,737,2,149,NA,Turbo\nN24211,1998,Fixed,BOEING,737,2,149,NA,Turbo\n",
    "weather.csv": "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,"
    "time_hour\nEWR,2013,1,1,5,39.02,26.06,59.37,270,10.35702,NA,0,1012,10,2013-01-01T10:00:00Z\n"
    "JFK,2013,1,1,5,39.02,26.96,61.63,250,8.05546,NA,0,1012.3,10,2013-01-01T10:00:00Z\n",
    "flights.csv": "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,"
    "tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
    "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
    "2013,1,1,533,529,4,850,830,20,AA,1714,N24211,JFK,MIA,227,1416,5,29,2013-01-01T10:00:00Z\n",
}
READ = {source.file.removesuffix(".zip"): source for source in data.SOURCES.values()}
NO_NUMBER = st.sampled_from(["x", "nan", "NaN", "inf", "-inf", "1e99", "--", "1,5", "0x10", "99999999999", "\x00", '"'])
NO_TEXT = st.sampled_from(["\x00", "a\x01b", '"', '"a', "a\tb", "\x1b[31m"])
NO_HOUR = st.sampled_from(["", "NA", "x", "9999-01-01T00:00:00Z", "2012-01-01T10:00:00Z", "2013-13-01T00:00:00Z", "5"])


def write_sources(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        if name == "flights.csv":
            with zipfile.ZipFile(folder / "flights.csv.zip", "w") as archive:
                archive.writestr(name, text)
        else:
            (folder / name).write_bytes(text.encode())


def load(folder: Path) -> pd.DataFrame:
    return data.load_flights(preset("tiny", data_folder=str(folder)), date(2013, 1, 1), date(2013, 1, 2))


def test_the_small_files_are_read_as_they_are(tmp_path: Path) -> None:
    write_sources(tmp_path, SOURCES)
    assert len(load(tmp_path)) == 2


@st.composite
def wrong_sources(draw: st.DrawFn) -> tuple[str, str]:
    """Return a file's name and its damaged text."""
    name = draw(st.sampled_from(sorted(SOURCES)))
    rows = list(csv.reader(io.StringIO(SOURCES[name])))
    header, line = rows[0], draw(st.integers(1, 2))
    column = draw(st.sampled_from([header.index(used) for used in READ[name].columns]))
    kind, limits, nullable = READ[name].columns[header[column]]
    what = draw(
        st.sampled_from(["value", "value", "value", "column", "header", "extra", "fewer", "quote", "key", "text"])
    )
    if what == "value":
        values = NO_HOUR if kind == data.HOUR else NO_TEXT if limits == data.UNBOUNDED else NO_NUMBER
        rows[line][column] = draw(values if nullable else values | st.sampled_from(["", "NA"]))
    elif what == "column":
        rows = [[cell for number, cell in enumerate(row) if number != column] for row in rows]
    elif what == "header":
        rows = draw(st.sampled_from([rows[:1], rows[1:], [[*row, row[column]] for row in rows], []]))
    elif what == "extra":
        rows[line].append("1")
    elif what == "fewer":
        rows[line].pop()
    elif what == "key":
        rows.append(rows[line])
    text = "".join(",".join(row) + "\n" for row in rows)
    if what == "quote":  # that is not closed, at the beginning of any field, of a column that is read or is not
        fields = [match.start() for match in re.finditer(r"(?<=[,\n])[^,\n]", text)]
        position = draw(st.sampled_from([at for at in fields if at > text.index("\n")]))
        text = text[:position] + '"' + text[position:]
    if what == "text":
        text = draw(
            st.sampled_from(["", "\n", "\x00" * 100, "PK\x03\x04", "{}", text[: len(text) // 2], "<html></html>"])
        )
        assume(text != SOURCES[name])
    return name, text


@examples(170)
@given(wrong_sources())
def test_a_malformed_source_is_refused(tmp_path: Path, source: tuple[str, str]) -> None:
    name, text = source
    write_sources(tmp_path, SOURCES | {name: text})
    before = written(tmp_path)
    with refused(DataError):
        load(tmp_path)
    assert written(tmp_path) == before


@examples(30)
@given(st.integers(0, 10**6), st.integers(0, 255), st.booleans())
def test_a_damaged_archive_is_refused_or_read_as_it_was(tmp_path: Path, at: int, byte: int, cut: bool) -> None:
    write_sources(tmp_path, SOURCES)
    whole = load(tmp_path)
    archive = tmp_path / "flights.csv.zip"
    content = bytearray(archive.read_bytes())
    at %= len(content)
    content[at] = byte
    archive.write_bytes(content[:at] if cut else content)
    with refused_or_right("flights.csv"):
        pd.testing.assert_frame_equal(load(tmp_path), whole)


# Command lines ----------------------------------------------------------------------------------------------------

# One argument after the other of each step; nothing of what they name exists.
STEPS = {
    "load_data": ["CONFIG", "out"],
    "preprocess": ["CONFIG", "flights", "out"],
    "train": ["CONFIG", "features", "out"],
    "propose_trials": ["CONFIG"],
    "run_trial": ["CONFIG", "features", "{}"],
    "select_best": ["CONFIG", "features", "{}", "out"],
    "evaluate": ["CONFIG", "features", "baseline", "candidate", "registry", "out"],
    "deploy": ["CONFIG", "evaluation", "registry", "out"],
    "load_batch": ["CONFIG", DAY, "out"],
    "load_model": ["CONFIG", "registry", "out"],
    "predict": ["CONFIG", "batch", "model", "out"],
    "save_predictions": ["CONFIG", "predictions", "partitions"],
    "measure_drift": ["CONFIG", "registry", DAY, "out"],
    "decide_retraining": ["CONFIG", "drift", "out"],
}


@st.composite
def wrong_command_lines(draw: st.DrawFn) -> list[str]:
    step = draw(st.sampled_from(sorted(STEPS)))
    words = STEPS[step]
    kind = draw(st.sampled_from(["config", "config", "missing", "surplus", "option", "step", "gone", "result"]))
    if kind == "missing":
        return [step, *words[: draw(st.integers(0, len(words) - 1))]]
    if kind == "surplus":
        assume(step != "select_best")  # takes any number of results
        return [step, "tiny", *words[1:], draw(st.text(min_size=1, max_size=5).filter(lambda text: text[0] != "-"))]
    if kind == "option":
        return [step, draw(st.sampled_from(["--loud", "-x", "--result", "--config=tiny"])), *words]
    if kind == "step":
        name = draw(
            st.text(max_size=12).filter(lambda name: name not in {*STEPS, "config"} and not name.startswith("-"))
        )
        return [name, *words]
    if kind == "result":
        return ["--result", draw(st.sampled_from([".", "gone/x", "/dev/null/x", "/proc/x", "x" * 300])), step, "tiny"]
    if kind == "gone":
        assume(step not in ("load_data", "propose_trials", "load_batch"))  # they need nothing that could be gone
        return [step, "tiny", *words[1:]]
    config = draw(wrong_configs().filter(lambda text: not text.startswith("-")))
    return [step, config, *words[1:]]


@examples(150)
@given(wrong_command_lines())
def test_a_malformed_command_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code != 0, ended.output
    assert isinstance(ended.exception, (SystemExit, PipelineError)), repr(ended.exception)
    assert "Traceback" not in ended.output
    assert os.listdir(tmp_path) == []
