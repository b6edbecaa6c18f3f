"""Checks of lesson 3: they read what KFP compiled of the student's pipeline, and run a component's own text."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kfp import dsl
from kfp.dsl.graph_component import GraphComponent

from notebooks.checks import Exercises, Finding, expect, must

check = Exercises()


def _is_pipeline(answer: object) -> Finding:
    return must(
        isinstance(answer, GraphComponent),
        "it is a pipeline",
        f"It is a {type(answer).__name__}. Decorate the function with @dsl.pipeline, and do not call it.",
    )


@check.exercise(1)
def punctuality(answer: Any) -> Iterator[Finding]:
    """One self-sufficient component, with retries and no cache."""
    yield _is_pipeline(answer)
    spec = answer.pipeline_spec
    yield must(
        {*spec.root.input_definitions.parameters} == {"late", "flights"},
        "the pipeline has the parameters late and flights",
        f"It has {', '.join(spec.root.input_definitions.parameters) or 'none'}. They are the function's parameters.",
    )
    tasks = spec.root.dag.tasks
    yield must(
        list(tasks) == ["late-share"],
        "it has the task late-share",
        f"It has {', '.join(tasks) or 'no task'}. KFP names a task after its component, with hyphens.",
    )
    task = tasks["late-share"]
    given = {name: value.component_input_parameter for name, value in task.inputs.parameters.items()}
    yield expect(
        {*given.values()} == {"late", "flights"},
        "the task gets the pipeline's parameters",
        "Something else is given to it, so every run would compute the same. Hand on late and flights.",
    )
    containers = spec.deployment_spec["executors"]
    text = containers["exec-late-share"]["container"]["command"][-1]
    yield from _try_text(text)
    retries = task.retry_policy.max_retry_count
    yield expect(
        retries == 3, "three more tries", f"It has {retries}. A task is what the call returns: task.set_retry(3)."
    )
    yield expect(
        not task.caching_options.enable_cache,
        "a cached result is never reused",
        "Caching is on, as it is by default. Look for set_caching_options on the task.",
    )


def _try_text(text: str) -> Iterator[Finding]:
    """Run a component's text as its container would: nothing else is there."""
    scope: dict[str, Any] = {}
    try:
        exec(text.replace("import kfp\n", "", 1), scope)
        value = scope["late_share"](1, 3)
    except NameError as error:
        yield must(
            False,
            "the component has all it needs",
            f"In the container it ends with: {error}. KFP copies only the function, so put the import inside it.",
        )
        return
    yield must(True, "the component has all it needs", "")
    yield expect(
        value == 0.34, "1 late flight of 3 is 0.34", f"It returned {value}. Round up: math.ceil(100 * share) / 100."
    )


@check.exercise(2)
def fan_out(answer: Any) -> Iterator[Finding]:
    """A loop over what a task returned, and one task for all results."""
    yield _is_pipeline(answer)
    spec = answer.pipeline_spec
    tasks = spec.root.dag.tasks
    loops = {name: task for name, task in tasks.items() if task.WhichOneof("iterator")}
    yield must(
        len(loops) == 1,
        "there is a loop",
        f"The compiled tasks are {', '.join(tasks)}. A Python for writes tasks out once and for all; KFP needs "
        "`with dsl.ParallelFor(...) as airport:`.",
    )
    (name, loop) = next(iter(loops.items()))
    inside = spec.components[loop.component_ref.name].dag.tasks
    yield must(
        "share-of" in inside,
        "share_of runs inside the loop",
        f"Inside is {', '.join(inside) or 'nothing'}. Call share_of under the with.",
    )
    item = inside["share-of"].inputs.parameters["airport"].component_input_parameter
    yield expect(
        item == loop.parameter_iterator.item_input,
        "each share_of gets its own airport",
        "All of them get the same airport. The name after `as` stands for the item: give it to share_of.",
    )
    yield expect(
        "airports" in loop.dependent_tasks,
        "it goes over what airports returns",
        "The items are written into the pipeline. Give ParallelFor the output of a call of airports.",
    )
    yield must(
        "worst" in tasks,
        "worst runs once, after the loop",
        "worst is not a task beside the loop. Call it outside of the with, or it runs once per airport.",
    )
    yield expect(
        name in tasks["worst"].dependent_tasks,
        "worst gets all the shares",
        "worst does not wait for the loop. Give it dsl.Collected(...) of the output of share_of.",
    )


@check.exercise(3)
def learning(answer: Any) -> Iterator[Finding]:
    """A model made from a table, both typed; the component's own text is tried on a table of two flights."""
    yield _is_pipeline(answer)
    spec = answer.pipeline_spec
    tasks = spec.root.dag.tasks
    yield must(
        {*tasks} == {"late-flights", "fit"},
        "it has the tasks late-flights and fit",
        f"It has {', '.join(tasks) or 'no task'}. Call both components in the pipeline, once.",
    )
    definition = spec.components[tasks["fit"].component_ref.name]
    for name, kind, group in (("table", "Dataset", "input"), ("model", "Model", "output")):
        artifacts = getattr(definition, f"{group}_definitions").artifacts
        types = {known: one.artifact_type.schema_title.removeprefix("system.") for known, one in artifacts.items()}
        yield must(
            types.get(name) == kind,
            f"fit has the {group} {name}, a {kind}",
            f"Its {group} artifacts are {types or 'none'}. Annotate the parameter {name}: "
            f"dsl.{group.capitalize()}[dsl.{kind}]; a str would be a parameter, and no lineage.",
        )
    source = tasks["fit"].inputs.artifacts["table"].task_output_artifact
    yield must(
        source.producer_task == "late-flights",
        "it reads what late_flights wrote",
        "It reads something else. Give it late_flights().output.",
    )
    yield from _try_fit(spec.deployment_spec["executors"]["exec-fit"]["container"]["command"][-1])


def _try_fit(text: str) -> Iterator[Finding]:
    scope: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        table = dsl.Dataset(uri=f"{folder}/table")
        model = dsl.Model(uri=f"{folder}/model")
        table.path, model.path = table.uri, model.uri
        Path(table.uri).write_text("carrier,late\nAA,0\nUA,1\n", encoding="utf-8")
        exec(text, scope)
        scope["fit"](table, model)
        yield expect(
            Path(model.uri).is_file(),
            "the model is a file",
            "Nothing lies at model.path, where KFP looks for the model.",
        )
    yield expect(
        model.metadata.get("rows") == 2,
        "its metadata has the table's rows",
        f"For a table of a heading and two flights it has {model.metadata or 'no metadata'}. Set model.metadata[...]; "
        "count without the heading, in the table that you are given.",
    )
