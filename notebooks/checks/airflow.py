"""Checks of lesson 2: when the student's DAGs would run, and what they do in a rehearsal without a database.

A rehearsal calls the tasks' own functions in the order of the arrows. Airflow resolves the arguments; only the place
where results are kept is replaced by a dictionary. So a check sees what every task really gets.
"""

import asyncio
import copy
import inspect
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

from airflow.sdk import DAG, AssetAlias, AssetAll, timezone
from airflow.sdk.bases.decorator import KeywordParameters
from airflow.sdk.definitions._internal.abstractoperator import MAX_RETRY_DELAY
from airflow.sdk.definitions._internal.expandinput import EXPAND_INPUT_EMPTY, DictOfListsExpandInput
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.definitions.timetables.assets import AssetTriggeredTimetable
from airflow.sdk.definitions.xcom_arg import PlainXComArg
from airflow.sdk.execution_time.context import set_current_context
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import TimeRestriction

from notebooks.checks import AnswerError, Exercises, Finding, expect, kind_of, must, saw, short

check = Exercises()

RETURNED = "return_value"  # the key under which Airflow keeps what a task returns
DAYS = 366  # how many daily runs to look at


def _is_dag(answer: object) -> Finding:
    return must(
        isinstance(answer, DAG),
        "it is a DAG",
        f"It is {kind_of(answer)}. A function decorated with @dag returns the DAG when it is called: `name()`.",
    )


def _find(dag: Any, name: str) -> list[Any]:
    """Return the tasks of that name, also in a task group, and the copies that a second call makes."""
    return [task for task in dag.tasks if re.fullmatch(rf"{name}(__\d+)?", task.label)]


def _has_tasks(dag: Any, *names: str) -> Iterator[Finding]:
    found = {name: _find(dag, name) for name in names}
    missing = [name for name, tasks in found.items() if not tasks]
    yield must(
        not missing,
        f"it has the task{'s' * (len(names) > 1)} {', '.join(names)}",
        f"Missing: {', '.join(missing)}; there is {', '.join(dag.task_ids) or 'no task'}. A task belongs to the DAG in "
        "whose function it is called.",
    )
    twice = [task.task_id for tasks in found.values() if len(tasks) > 1 for task in tasks]
    yield must(
        not twice,
        f"{'each' if len(names) > 1 else 'it'} is called once",
        f"The DAG has {', '.join(twice)}: every call makes another task. Call it once, and keep what it returns in a "
        "variable if you need it twice.",
    )


@dataclass
class Instance:
    """A task instance in a rehearsal: what it got and returned. Airflow calls it `ti`."""

    task: Any
    map_index: int
    rehearsal: "Rehearsal"
    got: dict[str, Any] = field(default_factory=dict)
    pulled: list[Any] = field(default_factory=list)
    returned: Any = None
    try_number: int = 1

    @property
    def task_id(self) -> str:
        """The task's name."""
        return str(self.task.task_id)

    def values(self) -> list[Any]:
        """Return all values that reached it: as arguments, or because it asked for them."""
        return [*self.got.values(), *self.pulled]

    def xcom_pull(self, task_ids: Any = None, key: str = RETURNED, **_: Any) -> Any:
        """Return what a task returned, or a list for several tasks, as Airflow's method does."""
        if not isinstance(task_ids, str | None):
            return [self.xcom_pull(name, key) for name in task_ids]
        tasks = [one for one in self.rehearsal.dag.tasks if one.task_id == task_ids]
        value = self.rehearsal.read(tasks[0], self, key) if tasks else None
        self.pulled.append(value)
        return value

    def xcom_push(self, key: str, value: Any, **_: Any) -> None:
        """Keep a value under a key, as Airflow's method does."""
        self.rehearsal.pushed[self.task_id, key] = value


class Rehearsal:
    """One run of a copy of a DAG in this process.

    `replies` says what a task returns instead of being called: a value, or a function of the task instance.
    Raises AnswerError if a task does.
    """

    def __init__(self, dag: Any, replies: Mapping[str, Any]) -> None:
        # Airflow recognizes this object by its identity.
        self.dag: Any = copy.deepcopy(dag, {id(EXPAND_INPUT_EMPTY): EXPAND_INPUT_EMPTY})
        self.replies = replies
        self.instances: dict[str, list[Instance]] = {}
        self.pushed: dict[tuple[str, str], Any] = {}
        with patch.object(PlainXComArg, "resolve", _resolve), redirect_stdout(io.StringIO()):
            for task in self.dag.topological_sort():
                self.instances[task.task_id] = []
                for index in self._indexes(task):
                    self.instances[task.task_id].append(self._run(Instance(task, index, self)))

    def of(self, name: str) -> list[Instance]:
        """Return the instances of the task of that name."""
        return [one for instances in self.instances.values() for one in instances if one.task.label == name]

    def read(self, task: Any, reader: Instance, key: str = RETURNED) -> Any:
        """Return what a task returned: a list if it has several instances and the reader is outside."""
        instances = self.instances.get(task.task_id, [])
        if key != RETURNED:
            pushed = self.pushed.get((task.task_id, key))
            values = [one.returned.get(key) if isinstance(one.returned, Mapping) else pushed for one in instances]
        else:
            values = [one.returned for one in instances]
        values = copy.deepcopy(values)
        group = task.get_closest_mapped_task_group()
        if group and group is reader.task.get_closest_mapped_task_group():
            return values[reader.map_index]
        if group or isinstance(task, MappedOperator):
            return values
        return values[0] if values else None

    def _indexes(self, task: Any) -> list[int]:
        group = task.get_closest_mapped_task_group()
        if isinstance(task, MappedOperator):
            mapped = task._get_specified_expand_input()
        elif group:
            mapped = group._expand_input
        else:
            return [-1]
        context = self._context(Instance(task, 0, self))
        if isinstance(mapped, DictOfListsExpandInput):
            lists = [value.resolve(context) if hasattr(value, "resolve") else value for value in mapped.value.values()]
        else:
            lists = [mapped.value if isinstance(mapped.value, Sized) else mapped.value.resolve(context)]
        for value in lists:
            if not isinstance(value, Sized) or isinstance(value, str):
                raise AnswerError(f"{task.label} should run once per element, but it expands over {value!r}.")
        return list(range(math.prod(len(value) for value in lists)))

    def _context(self, instance: Instance) -> dict[str, Any]:
        start = datetime(2026, 3, 1, 5, tzinfo=UTC)
        return {
            **{"ti": instance, "task_instance": instance, "task": instance.task, "dag": self.dag},
            **{"params": {}, "run_id": "rehearsal", "logical_date": start, "ds": "2026-03-01", "ts": start.isoformat()},
            **{"data_interval_start": start, "data_interval_end": start, "inlets": [], "outlets": []},
        }

    def _run(self, instance: Instance) -> Instance:
        context, label = self._context(instance), instance.task.label
        if isinstance(instance.task, MappedOperator):
            operator: Any = instance.task.unmap(instance.task._expand_mapped_kwargs(context)[0])
        else:
            operator = instance.task.prepare_for_execution()
        operator.render_template_fields(context)
        function = getattr(operator, "python_callable", None)
        try:
            if function is None:
                instance.got = {name: getattr(operator, name) for name in operator.template_fields}
            else:
                offered = {**context, **operator.op_kwargs}
                named = KeywordParameters.determine(function, operator.op_args, offered).unpacking()
                bound = inspect.signature(function).bind(*operator.op_args, **named)
                instance.got = _without_context(bound, context)
            if label in self.replies:
                reply = self.replies[label]
                instance.returned = reply(instance) if callable(reply) else copy.deepcopy(reply)
            elif function is not None:
                with set_current_context(context):  # type: ignore[arg-type]
                    instance.returned = _finish(function(*bound.args, **bound.kwargs))
        except Exception as error:
            arguments = ", ".join(f"{name}={short(value)}" for name, value in instance.got.items())
            raise AnswerError(f"{label}({arguments}) raised {type(error).__name__}: {error}.") from error
        return instance


def _resolve(reference: PlainXComArg, context: Mapping[str, Any]) -> Any:
    instance: Instance = context["ti"]
    return instance.rehearsal.read(reference.operator, instance, reference.key)


def _without_context(bound: inspect.BoundArguments, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by name, without the context that Airflow passes to functions that ask for it."""
    flat: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            flat |= {f"{name}[{index}]": element for index, element in enumerate(value)}
        elif kind is inspect.Parameter.VAR_KEYWORD:
            flat |= value
        else:
            flat[name] = value
    return {name: value for name, value in flat.items() if name not in context or value is not context[name]}


def _finish(returned: Any) -> Any:
    """Return what a task's function finally returns, even if it is `async` or a generator."""
    if inspect.iscoroutine(returned):
        with ThreadPoolExecutor(1) as pool:  # a notebook's own thread has an event loop already
            return pool.submit(asyncio.run, returned).result()
    if inspect.isgenerator(returned):
        while True:
            try:
                next(returned)
            except StopIteration as end:
                return end.value
    return returned


@check.exercise(1, "morning")
def morning(dag: Any) -> Iterator[Finding]:
    """Two tasks in a row, daily at five, nothing to catch up on."""
    yield _is_dag(dag)
    yield from _has_tasks(dag, "count_flights", "report")
    (report,) = _find(dag, "report")
    (count,) = _find(dag, "count_flights")
    yield must(
        count.task_id in report.get_flat_relative_ids(upstream=True),
        "report waits for count_flights",
        "There is no arrow between them. Pass what count_flights() returns to report(...).",
    )
    (own,) = Rehearsal(dag, {}).of("count_flights")
    yield must(own.returned is not None, "count_flights returns something", saw(own.returned))
    for flights in (17, 0):
        got = [instance.values() for instance in Rehearsal(dag, {"count_flights": flights}).of("report")]
        shown = ", ".join(short(value) for values in got for value in values)
        yield must(
            len(got) == 1 and any(type(value) is int and value == flights for value in got[0]),
            f"report gets what count_flights returns: {flights}",
            f"When count_flights returned {flights!r}, report got {shown or 'nothing'}. An arrow is not enough: pass "
            "what count_flights() returns to report(...), as it is.",
        )
    yield from _every_day_at_five(dag)
    others = ", ".join(_names(getattr(dag.timetable, "asset_condition", None)))
    yield expect(not others, "nothing else starts it", f"Events of {others} start it too; the clock is enough.")
    yield expect(
        not dag.catchup,
        "it does not catch up",
        "With catchup=True, Airflow would immediately start a run for each day since start_date.",
    )


def _every_day_at_five(dag: Any) -> Iterator[Finding]:
    starts = [one.start_date for one in (dag, *dag.tasks) if isinstance(one.start_date, datetime)]
    yield must(
        starts,
        "it has a start date",
        f"start_date is {dag.start_date!r}. Without it no schedule begins; it takes a datetime.",
    )
    timetable: Any = coerce_to_core_timetable(dag.timetable)
    runs = _runs(dag, timetable, min(starts))
    zones = {dag.timezone, *(getattr(one, "_timezone", dag.timezone) for one in _timetables(timetable))}
    # Whose five o'clock? The schedule's own, or the start date's: the one that fits better.
    zone, odd = max(
        ((zone, _odd([after.astimezone(zone) for after, _ in runs])) for zone in zones),
        key=lambda found: math.inf if found[1] is None else found[1],
    )
    yield must(
        odd is None,
        "it runs every day at 05:00",
        f"With schedule={short(dag.schedule)} {_describe([after.astimezone(zone) for after, _ in runs], odd)}. A cron "
        "expression is: minute hour day month weekday; @daily means midnight.",
    )
    first = {day.astimezone(zone).date() for day in runs[0] if day}
    yield expect(
        date(2026, 3, 1) in first,
        "the first day is 1 March 2026",
        f"start_date is {min(starts)}, and the first run is for {min(first)}.",
    )


def _timetables(timetable: Any) -> list[Any]:
    return getattr(timetable, "_timetables", [timetable])


def _runs(dag: Any, timetable: Any, start: datetime) -> list[tuple[datetime, datetime | None]]:
    """Return a year of runs: when each starts, and the beginning of its data interval if that is after `start`."""
    ends = [task.end_date for task in dag.tasks]
    latest = dag.end_date or (None if None in ends else max(ends))
    limits = TimeRestriction(timezone.coerce_datetime(start), timezone.coerce_datetime(latest), catchup=True)
    runs: list[tuple[datetime, datetime | None]] = []
    info = None
    while len(runs) <= DAYS:
        info = timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=limits)
        if info is None or (runs and info.run_after <= runs[-1][0]):
            break
        begins = info.logical_date if info.logical_date and info.logical_date >= start else None
        runs.append((info.run_after, begins))
    return runs


def _odd(times: list[datetime]) -> int | None:
    """Return the place of the first time that is not five o'clock on the next day; None if there is none in a year."""
    for place, time in enumerate(times):
        follows = place == 0 or time.date() == times[place - 1].date() + timedelta(days=1)
        if not follows or (time.hour, time.minute, time.second) != (5, 0, 0):
            return place
    return None if len(times) > DAYS else len(times)


def _describe(times: list[datetime], odd: int | None) -> str:
    if not times:
        return "no clock starts it"
    place = odd or 0
    shown = [f"{time:%-d %B %Y %H:%M %Z}" for time in times[max(0, place - 1) : place + 2]]
    return f"it runs at {', then '.join(shown)}" + ("" if place + 1 < len(times) else ", and never again")


@check.exercise(2, "patient")
def patient(dag: Any) -> Iterator[Finding]:
    """Three retries, with growing pauses."""
    yield _is_dag(dag)
    yield from _has_tasks(dag, "download")
    (task,) = _find(dag, "download")
    yield expect(
        type(task.retries) is int and task.retries == 3,
        "it is retried up to three times",
        f"download has retries={task.retries!r}. Say it in @task(...), or for all tasks in @dag(default_args=...).",
    )
    pauses = _pauses(task)
    shown = ", ".join(f"{pause:g} s" for pause in pauses)
    yield must(
        pauses and pauses[0] == 10,
        "the first pause is ten seconds",
        f"retry_delay is {task.retry_delay!r}: it takes a timedelta, and without it Airflow waits five minutes."
        + (f" The pauses would be {shown}." if pauses else " A retry policy refuses to retry."),
    )
    yield expect(
        len(pauses) == 3 and pauses[0] < pauses[1] < pauses[2],
        "the pauses grow",
        f"The pauses would be {shown}. Look for a parameter that begins with retry_exponential; a number is what each "
        "pause is multiplied by. max_retry_delay is the longest pause.",
    )


def _pauses(task: Any) -> list[float]:
    """Return the shortest pause in seconds before each of three retries, as Airflow calculates it."""
    pauses: list[float] = []
    factor = 2.0 if task.retry_exponential_backoff is True else float(task.retry_exponential_backoff)
    for attempt in (1, 2, 3):
        pause = task.retry_delay.total_seconds()
        if factor not in (0, 1):
            pause = min(max(math.ceil(pause * factor ** (attempt - 1)), 1), MAX_RETRY_DELAY)
            longest = task.max_retry_delay
            pause = min(pause, longest.total_seconds()) if longest else pause
        policy = getattr(task, "retry_policy", None)
        decision = policy.evaluate(ConnectionError("no network"), attempt, 3) if policy else None
        if decision and decision.action.value == "fail":
            return pauses
        pauses.append(decision.retry_delay.total_seconds() if decision and decision.retry_delay else pause)
    return pauses


@check.exercise(3, "per_airport")
def per_airport(dag: Any) -> Iterator[Finding]:
    """One task instance per airport, for lists of several lengths, and one task for all results."""
    yield _is_dag(dag)
    yield from _has_tasks(dag, "airports", "late_share", "worst")
    found = {name: _find(dag, name)[0] for name in ("airports", "late_share", "worst")}
    yield must(
        _is_mapped(found["late_share"]),
        "late_share is mapped: a task instance per airport",
        "It is one task that gets the whole list, or one call per airport written out. Call "
        "late_share.expand(airport=...) with the list's promise.",
    )
    yield must(
        not _is_mapped(found["worst"]),
        "worst runs once",
        "worst is mapped too: an instance for each share, and none sees all of them. Call worst(...) without expand.",
    )
    yield must(
        found["late_share"].task_id in found["worst"].get_flat_relative_ids(upstream=True),
        "worst waits for all of them",
        "worst does not wait for late_share. Pass what .expand(...) returns to worst(...).",
    )
    for name, replies in (
        ("airports", {"late_share": 0.2, "worst": 0.2}),
        ("late_share", {"worst": 0.2}),
        ("worst", {}),
    ):
        returned = [instance.returned for instance in Rehearsal(dag, replies).of(name)]
        yield must(None not in returned, f"{name} returns something", f"{name}: {saw(None)}")
    for names in (["EWR", "JFK", "LGA"], ["SWF", "LGA", "ISP", "EWR", "TEB"], ["HPN"]):
        yield from _maps(dag, names)


def _is_mapped(task: Any) -> bool:
    return isinstance(task, MappedOperator) or task.get_closest_mapped_task_group() is not None


def _maps(dag: Any, names: list[str]) -> Iterator[Finding]:
    """Let airports return these names, and follow them."""
    shares = {name: round(0.31 - 0.03 * place, 2) for place, name in enumerate(names)}
    airport: list[str] = []

    def late_share(instance: Instance) -> float:
        found = [value for value in instance.values() if isinstance(value, str) and value in shares]
        airport.extend(found)
        return shares[found[0]] if len(found) == 1 else math.nan

    run = Rehearsal(dag, {"airports": names, "late_share": late_share})
    got = [instance.values() for instance in run.of("late_share")]
    many = f"{len(names)} airport{'s' * (len(names) > 1)}"
    yield must(
        airport == names and len(got) == len(names),
        f"{many}: late_share runs once for each",
        f"When airports returned {names!r}, late_share got {short(got)}. If the list is written into the DAG, a fourth "
        "airport would need a new DAG file: expand over what airports() returns.",
    )
    (worst,) = run.of("worst")
    right = [shares[name] for name in names]
    got = [_as_list(value) for value in worst.values()]
    shown = ", ".join(map(short, got))
    yield must(
        any(isinstance(value, list | tuple) and list(value) == right for value in got),
        f"{many}: worst gets what all of them return",
        f"When they returned {right!r}, worst got {shown or 'nothing'}. Pass what .expand(...) returns to worst(...), "
        "as it is.",
    )


def _as_list(value: Any) -> Any:
    """Return a list for any sequence: Airflow's own ones do not show their elements."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | list | tuple) else value


@check.exercise(4, "on_new_model")
def on_new_model(dag: Any) -> Iterator[Finding]:
    """A DAG that waits for an event of one asset, and for no clock."""
    yield _is_dag(dag)
    yield from _has_tasks(dag, "announce")
    condition = getattr(dag.timetable, "asset_condition", None)
    others = sorted({*_names(condition)} - {PRODUCTION})
    outlets = sorted({asset.name for task in dag.tasks for asset in task.outlets if hasattr(asset, "name")})
    emits = f" A task has {', '.join(outlets)} as an outlet: it would emit the event." if outlets else ""
    yield must(
        PRODUCTION in _names(condition) or _holds(condition, PRODUCTION),
        "it waits for the asset production-model",
        f"It waits for {', '.join(others) or 'no asset'}.{emits} A schedule can be an asset, which is known by its "
        f"name, to the letter. schedule is {short(dag.schedule)}.",
    )
    yield must(
        not any(isinstance(part, AssetAlias) for part in _parts(condition)),
        "it waits for the asset itself",
        "It waits for an AssetAlias, a stand-in that a task fills at run time: only events made through an alias of "
        "that name would count. Give it the Asset.",
    )
    yield must(
        _holds(condition, PRODUCTION),
        "an event of this asset is enough",
        f"It also needs an event of {', '.join(others)}. One asset is enough.",
    )
    yield expect(
        not any(_holds(condition, other) for other in others),
        "no other asset starts it",
        f"Events of {', '.join(others)} start it too.",
    )
    yield expect(
        isinstance(dag.timetable, AssetTriggeredTimetable) and not hasattr(dag.timetable, "timetable"),
        "it runs at no other time",
        f"schedule is {kind_of(dag.timetable)}: it has a timetable or a partition in addition to the asset. "
        "AssetOrTimeSchedule means: at events, and by the clock too.",
    )
    yield expect(
        PRODUCTION not in outlets,
        "it does not start itself",
        "A task has production-model as an outlet: it would emit the event that starts the DAG, again and again.",
    )


PRODUCTION = "production-model"


def _parts(condition: Any) -> list[Any]:
    """Return the assets, aliases and references that a condition is made of."""
    if hasattr(condition, "objects"):
        return [part for one in condition.objects for part in _parts(one)]
    return [] if condition is None else [condition]


def _names(condition: Any) -> list[str]:
    return [str(getattr(part, "name", getattr(part, "uri", part))) for part in _parts(condition)]


def _holds(condition: Any, name: str) -> bool:
    """Return whether an event of that asset alone fulfils the condition."""
    if hasattr(condition, "objects"):
        parts = [_holds(one, name) for one in condition.objects]
        return all(parts) if isinstance(condition, AssetAll) else any(parts)
    return getattr(condition, "name", None) == name and not isinstance(condition, AssetAlias)
