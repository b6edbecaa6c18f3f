"""Checks of lesson 3: the student's pipelines, compiled by KFP and rehearsed by its local orchestrator.

In a rehearsal each component's own text runs in this process as if in its container: it can import the standard
library, KFP, and the packages that it declares, and nothing else.
"""

import ast
import builtins
import contextlib
import dis
import functools
import importlib.metadata
import inspect
import io
import json
import random
import re
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any
from unittest.mock import patch

from kfp import local
from kfp.dsl.executor import Executor
from kfp.dsl.graph_component import GraphComponent
from kfp.local import logging_utils, pipeline_orchestrator, subprocess_task_handler
from kfp.local.config import LocalExecutionConfig
from kfp.pipeline_spec import pipeline_spec_pb2

from notebooks.checks import AnswerError, Exercises, Finding, expect, kind_of, must, saw, short, to_number

check = Exercises()

TOLERANCE = 1e-6


@dataclass
class Run:
    """One run of a component: what it got, and what it returned and wrote."""

    component: str
    got: dict[str, Any]
    artifacts: Mapping[str, Any]
    returned: Any = None
    files: dict[str, str | None] = field(default_factory=dict)


class Rehearsal:
    """One run of a pipeline in this process.

    `replies` says what a component does instead of running: a value to return, or a function of the run.
    Raises AnswerError, which names the component, if one fails.
    """

    def __init__(self, pipeline: Any, replies: Mapping[str, Any], **arguments: object) -> None:
        self.replies = replies
        self.runs: list[Run] = []
        self.error: AnswerError | None = None
        self.lock = threading.Lock()  # KFP runs the iterations of a loop in threads
        spec = pipeline_spec_pb2.PipelineSpec()
        spec.CopyFrom(pipeline.pipeline_spec)
        for task in _tasks(spec):
            task.ClearField("retry_policy")  # a mistake is a mistake the first time
            is_pipeline = spec.components[task.component_ref.name].WhichOneof("implementation") == "dag"
            if is_pipeline and task.inputs.artifacts and not task.inputs.parameters:
                # KFP's local orchestrator forgets such a pipeline's artifacts, unless it also gets a parameter.
                task.inputs.parameters["rehearsal"].runtime_value.constant.string_value = "yes"
            # KFP leaves out some arrows that the inputs imply: without them its order is a matter of luck.
            sources = {
                *(one.task_output_parameter.producer_task for one in task.inputs.parameters.values()),
                *(one.task_output_artifact.producer_task for one in task.inputs.artifacts.values()),
            }
            task.dependent_tasks.extend(sorted(sources - {"", *task.dependent_tasks}))
        before = LocalExecutionConfig.instance
        try:
            with tempfile.TemporaryDirectory() as folder, self._quiet():
                local.init(local.SubprocessRunner(use_venv=False), pipeline_root=folder)
                self.folder = folder
                pipeline_orchestrator.run_local_pipeline(spec, dict(arguments))
        except Exception as error:
            raise self.error or AnswerError(f"KFP could not run it: {type(error).__name__}: {error}") from error
        finally:
            LocalExecutionConfig.instance = before

    def of(self, component: str) -> list[Run]:
        """Return the runs of the component of that name."""
        return [run for run in self.runs if run.component == component]

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        nothing = contextlib.nullcontext
        with (
            patch.object(subprocess_task_handler, "run_local_subprocess", self._run_container),
            patch.object(logging_utils, "local_logger_context", nothing),
            patch.object(logging_utils, "indented_print", nothing),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(action="ignore"),
        ):
            yield

    def _run_container(self, full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
        """Do what the container's command does, and return its exit status."""
        del env_vars
        place = next(index for index, part in enumerate(full_command) if "ephemeral_component.py" in part)
        text, options = full_command[place + 1], full_command[place + 2 :]
        given = dict(zip(options[::2], options[1::2], strict=False))
        name = given["--function_to_execute"]
        declared = re.findall(r"'([^']+)'", " ".join(full_command[:place]))
        with self.lock, contextlib.chdir(self.folder):
            try:
                self.runs.append(self._execute(text, name, json.loads(given["--executor_input"]), declared))
            except AnswerError as error:
                self.error = self.error or error
                return 1
        return 0

    def _execute(self, text: str, name: str, executor_input: dict[str, Any], declared: list[str]) -> Run:
        run = Run(name, {}, {})
        try:
            function = _load(text, name, declared)
            runner = Executor(executor_input, _observed(function, run, self.replies))
            run.artifacts = runner.output_artifacts
            runner.execute()
        except (NameError, ImportError) as error:
            raise AnswerError(f"In its container {name} ends with {type(error).__name__}: {error}") from error
        except (Exception, SystemExit) as error:
            got = ", ".join(f"{key}={short(value)}" for key, value in run.got.items())
            raise AnswerError(f"{name}({got}) ended with {type(error).__name__}: {error}") from error
        if run.returned is None and executor_input.get("outputs", {}).get("parameters"):
            raise AnswerError(f"{name}: {saw(None)}")
        for key, artifact in run.artifacts.items():
            path = Path(artifact.path)
            run.files[key] = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
        return run


def _observed(function: Callable[..., Any], run: Run, replies: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a function with the same signature that keeps what goes in and out in `run`."""

    @functools.wraps(function)
    def observed(**arguments: Any) -> Any:
        run.got = arguments
        if run.component in replies:
            reply = replies[run.component]
            run.returned = reply(run) if callable(reply) else reply
        else:
            run.returned = function(**arguments)
        return run.returned

    observed.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return observed


def _load(text: str, name: str, declared: list[str]) -> Callable[..., Any]:
    """Return the function in a component's text. Raises NameError or ImportError for what the container lacks."""

    def guarded(module: str, *rest: Any, **options: Any) -> Any:
        _check_import(module, declared)
        return __import__(module, *rest, **options)

    scope: dict[str, Any] = {"__name__": "component", "__builtins__": {**vars(builtins), "__import__": guarded}}
    exec(compile(text, f"<component {name}>", "exec"), scope)
    function: Callable[..., Any] = scope[name]
    for module in _imports(ast.parse(text)):
        _check_import(module, declared)
    missing = sorted(_globals(function.__code__) - {*scope} - {*vars(builtins)})
    if missing:
        raise NameError(
            f"name '{missing[0]}' is not defined. KFP copies only the function: import inside it, and define there "
            "what it uses."
        )
    return function


def _check_import(module: str, declared: list[str]) -> None:
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names or root in ("", "kfp"):
        return
    packages = {_normal(re.split(r"[\[<>=!~; ]", package)[0]) for package in declared}
    if _normal(root) not in packages and not packages & {_normal(name) for name in _distributions().get(root, [])}:
        raise ModuleNotFoundError(
            f"No module named '{root}'. The image python:3.12 has the standard library alone: do without it, or "
            "declare it with packages_to_install=[...]."
        )


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def _imports(tree: ast.AST) -> Iterator[str]:
    """Return the modules that are imported anywhere, also where no input leads, but not those that are tried out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif not isinstance(node, ast.Try):
            yield from _imports(node)


def _globals(code: CodeType) -> set[str]:
    """Return the global names that a function and those inside it read."""
    steps = list(dis.get_instructions(code))
    read = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"}
    made = {step.argval for step in steps if step.opname == "STORE_GLOBAL"}
    return {
        *(read - made),
        *(name for part in code.co_consts if isinstance(part, CodeType) for name in _globals(part) - made),
    }


def _dags(spec: Any) -> Iterator[Any]:
    """Return the graphs of a pipeline: its own, and those of loops, conditions and pipelines inside it."""
    yield spec.root.dag
    for component in spec.components.values():
        if component.WhichOneof("implementation") == "dag":
            yield component.dag


def _tasks(spec: Any) -> Iterator[Any]:
    for dag in _dags(spec):
        yield from dag.tasks.values()


def _names(spec: Any) -> str:
    return ", ".join(name for dag in _dags(spec) for name in dag.tasks)


def _component_of(spec: Any, task: Any) -> str:
    """Return the name of the function that a task runs, or nothing for a graph."""
    label = spec.components[task.component_ref.name].executor_label
    if not label:
        return ""
    container = spec.deployment_spec["executors"][label]["container"]
    options = list(container["args"]) if "args" in container else []
    return options[options.index("--function_to_execute") + 1] if "--function_to_execute" in options else ""


def _tasks_of(spec: Any, component: str) -> list[Any]:
    return [task for task in _tasks(spec) if _component_of(spec, task) == component]


def _is_pipeline(answer: object, *parameters: str) -> Iterator[Finding]:
    """The answer is a pipeline that runs when these parameters are given."""
    yield must(
        isinstance(answer, GraphComponent),
        "it is a pipeline",
        f"It is {kind_of(answer)}. Decorate the function with @dsl.pipeline, and do not call it.",
    )
    pipeline: Any = answer
    known = pipeline.pipeline_spec.root.input_definitions.parameters
    if parameters:
        yield must(
            {*parameters} <= {*known},
            f"the pipeline has the parameters {' and '.join(parameters)}",
            f"It has {', '.join(known) or 'none'}. They are the function's parameters.",
        )
    needed = [name for name, one in known.items() if name not in parameters and not one.is_optional]
    yield must(
        not needed,
        "it needs nothing else",
        f"It also needs {', '.join(needed)}: give other parameters a default.",
    )


def _has_tasks(spec: Any, *components: str) -> Iterator[Finding]:
    """Each component is called exactly once, wherever."""
    missing = [name for name in components if not _tasks_of(spec, name)]
    there = _names(spec)
    yield must(
        not missing,
        f"it calls {', '.join(components)}",
        f"{', '.join(missing)}: not there. The compiled tasks are {there or 'none'}. Call the component in the "
        "pipeline; KFP names a task after its function, with hyphens.",
    )
    twice = [name for name in components if len(_tasks_of(spec, name)) > 1]
    yield must(
        not twice,
        f"{'each' if len(components) > 1 else 'it'} is called once",
        f"{', '.join(twice)}: called more than once, and every call makes another task. The compiled tasks are "
        f"{there}.",
    )


@check.exercise(1, "punctuality")
def punctuality(answer: Any) -> Iterator[Finding]:
    """One self-sufficient component, with retries and no cache."""
    yield from _is_pipeline(answer, "late", "flights")
    spec = answer.pipeline_spec
    yield from _has_tasks(spec, "late_share")
    chance = random.Random(2013)
    cases = [(1, 3), (0, 7), (5, 5), (1, 4), (3, 4), (1, 1000), (999, 1000), (2, 3)]
    cases += [(chance.randint(1, flights - 1), flights) for flights in (7, 13, 97, 211, 839)]
    for late, flights in cases:
        yield from (finding for finding in _share(answer, late, flights) if not finding.passed)
    yield expect(True, "the task runs once, and gets the pipeline's parameters", "")
    yield expect(True, f"the share is right for {len(cases)} pairs of numbers", "")
    (task,) = _tasks_of(spec, "late_share")
    retries = task.retry_policy.max_retry_count
    yield expect(
        retries == 3,
        "it is retried up to three times",
        f"It has {retries} retries. A task is what the call returns: task.set_retry(3).",
    )
    yield expect(
        not task.caching_options.enable_cache,
        "a cached result is never reused",
        "Caching is on, as it is by default. Look for set_caching_options on the task.",
    )


def _share(answer: Any, late: int, flights: int) -> Iterator[Finding]:
    """Give the pipeline these numbers, and follow them."""
    runs = Rehearsal(answer, {}, late=late, flights=flights).of("late_share")
    said = f"For late={late} and flights={flights}"
    yield must(len(runs) == 1, "the task runs once", f"{said}, late_share ran {len(runs)} times.")
    (run,) = runs
    yield must(
        (run.got.get("late"), run.got.get("flights")) == (late, flights),
        "the task gets the pipeline's parameters",
        f"{said}, late_share got {short(run.got)}. Hand on late and flights, each by its name.",
    )
    right = -(-100 * late // flights) / 100
    value = run.returned[0] if isinstance(run.returned, tuple) and len(run.returned) == 1 else run.returned
    yield must(
        (number := to_number(value)) is not None and abs(number - right) < TOLERANCE,
        f"{late} late of {flights} is {right}",
        f"{said}: {saw(run.returned)} Right is {right}. Round up: math.ceil(100 * late / flights) / 100.",
    )


@check.exercise(2, "fan_out")
def fan_out(answer: Any) -> Iterator[Finding]:
    """A loop over what a task returned, and one task for all results, for lists of several lengths."""
    yield from _is_pipeline(answer)
    spec = answer.pipeline_spec
    loops = [task for task in _tasks(spec) if task.WhichOneof("iterator")]
    yield must(
        loops,
        "there is a loop",
        f"The compiled tasks are {_names(spec) or 'none'}. A Python for writes tasks out once and for all; KFP needs "
        "`with dsl.ParallelFor(...) as airport:`.",
    )
    yield from _has_tasks(spec, "airports", "share_of", "worst")
    limits = [task.iterator_policy.parallelism_limit for task in loops]
    yield expect(
        1 not in limits,
        "the loop runs in parallel",
        "With parallelism=1 one airport waits for the other. Leave it out.",
    )
    for names in (["EWR", "JFK", "LGA"], ["SWF", "LGA", "ISP", "EWR", "TEB"], ["HPN"]):
        yield from _loops(answer, names)
    own = Rehearsal(answer, {})
    yield must(len(own.of("airports")) == 1, "airports runs once", "Call it outside the loop.")


def _loops(answer: Any, names: list[str]) -> Iterator[Finding]:
    """Let airports return these names, and follow them."""
    shares = {name: round(0.31 - 0.03 * place, 2) for place, name in enumerate(names)}

    def share_of(run: Run) -> float:
        return next((shares[one] for one in run.got.values() if isinstance(one, str) and one in shares), 0.99)

    rehearsal = Rehearsal(answer, {"airports": names, "share_of": share_of, "worst": 0.5})
    many = f"{len(names)} airport{'s' * (len(names) > 1)}"
    got = [value for run in rehearsal.of("share_of") for value in run.got.values() if isinstance(value, str)]
    yield must(
        sorted(got) == sorted(names),
        f"{many}: share_of runs once for each",
        f"When airports returned {names!r}, share_of got {got!r}. Loop over the output of a call of airports, not over "
        "a list that is written out; the name after `as` is the item: give it to share_of.",
    )
    runs = rehearsal.of("worst")
    yield must(
        len(runs) == 1,
        f"{many}: worst runs once",
        f"worst ran {len(runs)} times. Call it outside the with, or it runs once per airport.",
    )
    lists = [sorted(value, key=repr) for value in runs[0].got.values() if isinstance(value, list)]
    yield must(
        sorted(shares.values(), key=repr) in lists,
        f"{many}: worst gets all the shares",
        f"When share_of returned {[*shares.values()]!r}, worst got {short(runs[0].got)}. Give it dsl.Collected(...) of "
        "the output of share_of.",
    )


@check.exercise(3, "learning")
def learning(answer: Any) -> Iterator[Finding]:
    """A model made from a table, both typed, for tables of several lengths."""
    yield from _is_pipeline(answer)
    spec = answer.pipeline_spec
    yield from _has_tasks(spec, "late_flights", "fit")
    (task,) = _tasks_of(spec, "fit")
    definition = spec.components[task.component_ref.name]
    for name, kind, group in (("table", "Dataset", "input"), ("model", "Model", "output")):
        artifacts = getattr(definition, f"{group}_definitions").artifacts
        types = {known: one.artifact_type.schema_title.removeprefix("system.") for known, one in artifacts.items()}
        yield must(
            types.get(name) == kind,
            f"fit has the {group} {name}, a {kind}",
            f"Its {group} artifacts are {types or 'none'}. Annotate the parameter {name}: "
            f"dsl.{group.capitalize()}[dsl.{kind}]; a str would be a parameter, and no lineage.",
        )
    Rehearsal(answer, {})
    for rows in (3, 1, 8, 0):
        yield from _fits(answer, rows)


def _fits(answer: Any, rows: int) -> Iterator[Finding]:
    """Let late_flights write a table with so many flights."""
    text = "carrier,late\n" + "".join(f"{'AA' if row % 2 else 'UA'},{row % 3 % 2}\n" for row in range(rows))

    def late_flights(run: Run) -> None:
        for artifact in run.artifacts.values():
            Path(artifact.path).write_text(text, encoding="utf-8")

    runs = Rehearsal(answer, {"late_flights": late_flights}).of("fit")
    yield must(len(runs) == 1, "fit runs once", f"It ran {len(runs)} times.")
    (run,) = runs
    yield must(
        run.files["model"] is not None,
        "the model is a file",
        "There is no file at model.path, where KFP looks for the model. A folder is not a file.",
    )
    yield must(
        (run.files["model"] or "").strip(),
        "there is something in it",
        "The file at model.path is empty: write any text into it.",
    )
    found = run.artifacts["model"].metadata
    value = found.get("rows")
    yield must(
        to_number(value) == rows,
        f"{rows} flights: the model's metadata has the table's rows",
        f"For a table of a header and {rows} flights, the model's metadata is {found!r}, and rows must be the number "
        f"{rows}. Set model.metadata['rows']; count without the header, in the table that you are given.",
    )
