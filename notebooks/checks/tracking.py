"""Checks of lesson 6: the student's W&B run and artifact, inspected through W&B's own objects."""

import math
from collections.abc import Iterator
from numbers import Real
from pathlib import Path
from typing import Any

import wandb

from notebooks.checks import Exercises, Finding, expect, kind_of, must
from notebooks.course.records import read_record

check = Exercises()


@check.exercise(1, "my_run")
def run(answer: Any) -> Iterator[Finding]:
    """An offline run with tags, config and a metric in its summary."""
    yield must(
        isinstance(answer, wandb.Run),
        "it is a W&B run",
        f"It is {kind_of(answer)}; wandb.init(...) returns a run.",
    )
    yield expect(
        answer.offline, "it stays on this machine", "It would send everything to a server; say mode= when you start it."
    )
    yield expect(
        answer.project == "lesson-6", "its project is lesson-6", f"Its project is {answer.project!r}; say project=."
    )
    yield expect(
        {"lesson", "tiny"} <= {*(answer.tags or ())},
        "it has both tags",
        f"Its tags are {', '.join(answer.tags or ()) or 'none'}; tags= takes a list.",
    )
    yield expect(
        answer.config.get("platform_run_id"),
        "it knows the orchestrator's run",
        "platform_run_id is not in its config. Without it, nobody finds the run that made the model.",
    )
    yield must(
        answer._is_finished, "it is finished", "It is still open, and unfinished runs may be lost. Call run.finish()."
    )
    wandb.teardown()  # a separate process writes W&B's files; once it has ended, everything is on disk
    found = read_record(Path(answer.dir).parent).summary.get("roc_auc")
    yield expect(
        isinstance(found, Real) and not isinstance(found, bool) and math.isclose(found, 0.7),
        "its summary has the metric",
        f"roc_auc in run.summary is {found!r}, not the number 0.7. A metric is a result; config is for what was "
        "chosen before.",
    )


@check.exercise(2, "my_artifact")
def artifact(answer: Any) -> Iterator[Finding]:
    """A model with a file and a fingerprint."""
    yield must(
        isinstance(answer, wandb.Artifact),
        "it is a W&B artifact",
        f"It is {kind_of(answer)}; make it with wandb.Artifact(name, type=...).",
    )
    yield expect(
        answer.name.partition(":")[0] == "late-arrival", "its name is late-arrival", f"Its name is {answer.name!r}."
    )
    yield expect(
        answer.type == "model", "its type is model", f"Its type is {answer.type!r}: W&B groups artifacts by type."
    )
    files = answer.manifest.entries
    yield must(
        "model.skops" in files,
        "it holds model.skops",
        f"It holds {', '.join(sorted(files)) or 'no file'}. Look for its method add_file.",
    )
    yield expect(
        files["model.skops"].size,
        "the file is the model",
        "The file in it is empty. Add the file that the cell above wrote.",
    )
    yield expect(
        isinstance(answer.metadata.get("fingerprint"), str) and answer.metadata["fingerprint"],
        "its metadata has the fingerprint, as text",
        f"In its metadata, fingerprint is {answer.metadata.get('fingerprint')!r}: nobody could find the data and the "
        "run that it came from.",
    )
