"""Checks of lesson 5: what Modal knows of the student's functions, and a real run of the student's app."""

import ast
import inspect
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import modal
from croniter import croniter
from modal._resources import convert_fn_config_to_resources_config

from notebooks.checks import Exercises, Finding, expect, must, short
from notebooks.checks.modal_run import LIMIT_SECONDS, run_app

check = Exercises()

FIRST_DAY = datetime(2024, 1, 1)
DAYS = 4 * 365 + 1  # every day of the calendar occurs in them, also 29 February
FIVE = (5, 0)
PLACES = {"EWR": "Newark", "JFK": "Kennedy", "LGA": "LaGuardia"}


def _is_function(answer: Any) -> Iterator[Finding]:
    hint = f"It is {short(answer)}. Write @my_app.function(...) above the function, with parentheses."
    if isinstance(answer, str | int | float | tuple | list | dict):
        hint = f"It is {short(answer)}. Is that what a call returned? Keep the function: do not call it in this cell."
    elif type(answer).__name__ == "LocalEntrypoint":
        hint = "It is a local entrypoint, which runs on your machine. Write @my_app.function(...) above the function."
    yield must(isinstance(answer, modal.Function), "it is a Modal function", hint)
    yield must(
        getattr(answer, "_raw_f_", None),
        "it is written here, under @my_app.function(...)",
        "It is a Modal function from elsewhere: a method, or one that was looked up by its name. Write a function and "
        "put @my_app.function(...) above it.",
    )


def _signature(answer: Any) -> inspect.Signature:
    return inspect.signature(answer._raw_f_)


@check.exercise(1, "forecast")
def forecast(answer: Any) -> Iterator[Finding]:
    """Processors, time and retries, as Modal would send them."""
    yield from _is_function(answer)
    yield expect(
        _takes_a_day(_signature(answer)),
        "it takes a day",
        f"Its parameters are {_signature(answer)}. It must be possible to call forecast(day), with one argument.",
    )
    info = answer.info()
    yield expect(
        _processors(info.cpu) == 2000,
        "it gets 2 processors",
        f"It asks for cpu={info.cpu!r}. Say cpu= in the decorator, as a number (a pair is the request and the limit).",
    )
    yield must(
        info.timeout is not _default_timeout(),
        "its decorator says when a call is stopped",
        "The decorator has no timeout=. Today Modal then stops a call after 300 seconds; write down what your function "
        "needs." + _about_startup(info),
    )
    yield expect(
        _is_whole(info.timeout) and info.timeout == 300,
        "a call is stopped after five minutes",
        f"The timeout is {info.timeout!r}. It counts seconds, and five minutes are 300 of them, a whole number.",
    )
    yield expect(
        info.max_retries == 3,
        "a failed call is retried up to three times",
        f"The retries are {info.max_retries!r}, and the first attempt is not one of them. Give the decorator retries=, "
        "a number or modal.Retries(...).",
    )


def _about_startup(info: Any) -> str:
    given = info.startup_timeout is not None and info.startup_timeout is not info.timeout
    return " startup_timeout= is for the container's start, not for the call." if given else ""


def _takes_a_day(signature: inspect.Signature) -> bool:
    for arguments in ((("2013-03-12",), {}), ((), {"day": "2013-03-12"})):
        try:
            signature.bind(*arguments[0], **arguments[1])
        except TypeError:
            continue
        return True
    return False


def _processors(cpu: Any) -> int:
    """Return how many thousandths of a processor Modal requests for `cpu=`; 0 if it ignores or refuses the value."""
    try:
        return int(convert_fn_config_to_resources_config(cpu=cpu, memory=None, gpu=None).milli_cpu)
    except Exception:
        return 0


def _default_timeout() -> Any:
    """Return the very object that Modal uses if there is no timeout; 300 that was typed in is another object."""
    return modal.App().function(serialized=True)(_nothing).info().timeout


def _nothing() -> None:
    """Do nothing."""


def _is_whole(value: Any) -> bool:
    """Tell whether Modal can send the value: a float, even 300.0, ends the deployment with an error."""
    return hasattr(value, "__index__")


@check.exercise(2, "nightly")
def nightly(answer: Any) -> Iterator[Finding]:
    """A schedule, by the times that it gives, and a volume."""
    yield from _is_function(answer)
    info = answer.info()
    yield must(
        info.schedule,
        "Modal calls it automatically",
        "It has no schedule. Give the decorator schedule=modal.Cron(...).",
    )
    found = re.fullmatch(r"Cron\((?P<text>['\"].*['\"]), (?P<zone>.*)\)", str(info.schedule), re.DOTALL)
    yield must(
        found,
        "the schedule has a time of day",
        f"The schedule is {info.schedule}. A modal.Period counts from the deployment, so it has no time of day. "
        "modal.Cron has one.",
    )
    assert found
    text, zone = ast.literal_eval(found["text"]), found["zone"]
    yield expect(_exists(zone), "its time zone exists", f"There is no time zone {zone!r}; Europe/Zurich is one.")
    problem = _not_daily_at_five(text)
    yield expect(
        not problem,
        "every day at 05:00",
        f"{text!r} {problem} The five fields of modal.Cron: minute hour day month weekday.",
    )
    mounted = {str(path): volume for path, volume in info.volumes.items()}
    disk = mounted.get("/forecasts")
    finds = ", ".join(f"{volume.name!r} at {path}" for path, volume in mounted.items()) or "no Volume"
    yield must(
        disk is not None and disk.name == "forecasts",
        "the container finds the Volume forecasts at /forecasts",
        f"It finds {finds}: what it writes anywhere else is gone when it ends. volumes= takes a dictionary, "
        "{path: modal.Volume.from_name(...)}.",
    )
    yield expect(
        not (disk and disk.read_only),
        "it may write there",
        "The Volume is mounted for reading only. Mount it as it is.",
    )


def _exists(zone: str) -> bool:
    try:
        return bool(ZoneInfo(zone or "UTC"))
    except (OSError, ValueError, KeyError):
        return False


def _not_daily_at_five(text: str) -> str:
    """Return what is wrong with a cron expression that must give 05:00 of every day, or nothing."""
    if len(text.split()) != 5:
        return "does not have five fields."
    try:
        times = croniter(text, FIRST_DAY - timedelta(minutes=1), ret_type=datetime)
        for number in range(DAYS):
            moment, right = times.get_next(), FIRST_DAY + timedelta(days=number, hours=FIVE[0], minutes=FIVE[1])
            if moment != right:
                return f"means {moment:%A %d %B at %H:%M} where {right:%A %d %B at %H:%M} is right."
    except (ValueError, KeyError) as error:
        return f"is not a cron expression: {error}."
    return ""


@check.exercise(3, "my_file")
def at_once(answer: Any) -> Iterator[Finding]:
    """Run the app on this machine, and ask the control plane about the calls."""
    yield must(
        isinstance(answer, str) and "\n" in answer.strip(),
        "it is the text of a file",
        f"It is {short(answer)}. Put the whole app into a string, as in one_after_the_other.",
    )
    yield must(not (error := _syntax_error(answer)), "it is Python", error)
    text, right = _elsewhere(answer)
    run = run_app(text)
    yield must(
        run.status == 0,
        "modal run runs it",
        f"It took longer than {LIMIT_SECONDS:.0f} seconds and was stopped. Does it wait for something, or never end?"
        if run.status is None
        else f"It ended with status {run.status}: {run.error}",
    )
    yield must(
        len(run.leaves) >= 3,
        "the three calls ran in containers",
        f"{len(run.leaves)} calls ran in containers. Call score once per airport: .local() is a plain Python call on "
        "the same machine, and .map() begins only when its results are asked for.",
    )
    together = run.together
    yield must(
        len(together) >= 3,
        "all three were under way at the same time",
        f"At most {len(together)} of them were under way at the same time: .remote() waits for its result, and so does "
        ".get(). .map() takes the whole list.",
    )
    yield expect(
        all(call.room >= sum(other.function == call.function for other in together) for call in together),
        "each may have its own container",
        f"max_containers= allows only {min(call.room for call in together):.0f}, so one call waits for another.",
    )
    yield expect(
        all(call.capacity == 1 for call in together),
        "no container takes more than one",
        f"One container takes {max(call.capacity for call in together)} of them, and they share its processors. Each "
        "call must have its own container.",
    )
    yield expect(
        _says(run.printed, right),
        "the sum is right",
        f"With the airports {', '.join(PLACES.values())} it must print {right}, the sum of what the calls return. It "
        f"printed {short(run.told)}.",
    )


def _syntax_error(text: str) -> str:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return f"Python cannot read it. {type(error).__name__}: {error}."
    return ""


def _elsewhere(text: str) -> tuple[str, int]:
    """Return the app with other airports, and the sum of their scores: a sum that was written down is not right."""
    right = 0
    for name, place in PLACES.items():
        text, found = re.subn(rf"\b{name}\b", place, text)
        right += len(place if found else name)
    return text, right


def _says(printed: str, number: int) -> bool:
    return bool(re.search(rf"(?<![\w.-]){number}(?:\.0)?(?![\w-]|\.\d)", printed))
