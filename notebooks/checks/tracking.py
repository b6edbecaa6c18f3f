"""Checks of lesson 6: what the student's W&B run wrote to disk, and the artifact, read through W&B's own objects."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wandb

from notebooks.checks import Exercises, Finding, expect, kind_of, must, short, to_number
from notebooks.course.records import read_record

check = Exercises()

MODEL = b"any model"  # the file that the exercise's cell writes
TOLERANCE = 1e-6  # a 32-bit 0.7 is 0.69999999


@check.exercise(1, "my_run")
def run(answer: Any) -> Iterator[Finding]:
    """An offline run with tags, config and a metric in its summary."""
    yield must(
        isinstance(answer, wandb.Run),
        "it is a W&B run",
        f"It is {kind_of(answer)}; wandb.init(...) returns a run.",
    )
    yield must(
        answer.offline,
        "it stays on this machine",
        "It is not an offline run, so nothing is kept here; say mode= when you start it.",
    )
    yield expect(
        answer.project == "lesson-6", "its project is lesson-6", f"Its project is {answer.project!r}; say project=."
    )
    yield must(
        answer._is_finished, "it is finished", "It is still open, and unfinished runs may be lost. Call run.finish()."
    )
    wandb.teardown()  # a separate process writes W&B's files; once it has ended, everything is on disk
    record = read_record(Path(answer.dir).parent)
    yield expect(
        {"lesson", "tiny"} <= {*record.tags},
        "it has both tags",
        f"Its tags are {', '.join(map(repr, dict.fromkeys(record.tags))) or 'none'}; tags= takes a list.",
    )
    platform_run = record.config.get("platform_run_id")
    yield expect(
        platform_run,
        "it knows the orchestrator's run",
        ("platform_run_id is not in its config. " if platform_run is None else f"platform_run_id is {platform_run!r}. ")
        + "Without it nobody finds the run that made the model.",
    )
    found = record.summary.get("roc_auc")
    yield expect(
        (number := to_number(found)) is not None and abs(number - 0.7) <= TOLERANCE,
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
        answer.type == "model", "its type is model", f"Its type is {short(answer.type)}: W&B groups artifacts by type."
    )
    files = answer.manifest.entries
    yield must(
        "model.skops" in files,
        "it holds model.skops",
        f"It holds {', '.join(sorted(files)) or 'no file'}. Look for its method add_file.",
    )
    digest = base64.b64encode(hashlib.md5(MODEL).digest()).decode("ascii")  # as W&B writes it
    yield expect(
        files["model.skops"].digest == digest,
        "the file is the model",
        f"Its model.skops has {files['model.skops'].size} bytes and is not the one that the exercise's cell writes. "
        "Add that file.",
    )
    yield expect(
        isinstance(answer.metadata.get("fingerprint"), str) and answer.metadata["fingerprint"],
        "its metadata has the fingerprint, as text",
        f"In its metadata, fingerprint is {answer.metadata.get('fingerprint')!r}: nobody could find the data and the "
        "run that it came from.",
    )
