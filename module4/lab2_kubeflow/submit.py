"""Send compiled pipelines to a Kubeflow Pipelines server: upload one, run it once, or schedule it.

The server is given by its URL. If it asks for a token, that comes from the environment: on a command line it would
stay in the shell's history.
"""

import hashlib
import json
import os
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kfp
import kfp_server_api
import urllib3
import yaml
from croniter import croniter

from shared.config import PipelineConfig
from shared.errors import PipelineError
from shared.inference import parse_day
from shared.version import code_version

EXPERIMENT = "one-pipeline"
TOKEN = "KFP_TOKEN"
PATIENCE_SECONDS = 10
POLL_SECONDS = 2
INNER = re.compile(r"root|executor|.*-driver|.*\(\d+\)")  # what Kubeflow adds around the pipeline's own tasks
ENDED = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}
# The server fills it in when a run starts; Go writes dates like this. Of KFP 2.17's two times only this one works:
# [[ScheduledTime]] reaches the step as it is.
SCHEDULED_DAY = "2013-[[CurrentTime.01-02]]"


def arguments_for(
    file: Path, config: PipelineConfig, store: str, day: str = "", scheduled: bool = False
) -> dict[str, str]:
    """Return the arguments that the file's pipeline takes; `store` is where pods find registry and predictions.

    Raises PipelineError when the file is not a compiled pipeline, or needs an argument that is not known here.
    """
    if day and not (scheduled and "[[CurrentTime" in day):
        parse_day(day, config)
    check_store(store)
    known = {
        "config": config.to_json(),
        "registry": f"{store}/registry",
        "partitions": f"{store}/predictions",
        "day": day or (SCHEDULED_DAY if scheduled else config.test_end.isoformat()),
        "code": code_version(),
    }
    taken = read_inputs(file)
    missing = [name for name, optional in taken.items() if not optional and name not in known]
    if missing:
        raise PipelineError(f"file: {file} needs arguments that are not known here: {', '.join(missing)}.")
    return {name: value for name, value in known.items() if name in taken}


def read_inputs(file: Path) -> dict[str, bool]:
    """Return the pipeline's parameters, each with whether it is optional. Raises PipelineError: see `arguments_for`."""
    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise PipelineError(
            f"file: cannot read {file} ({error.strerror}). Compile it first: make kubeflow-compile"
        ) from None
    except (ValueError, yaml.YAMLError):
        documents = []
    try:
        name, root = documents[0]["pipelineInfo"]["name"], documents[0]["root"]
        parameters = root.get("inputDefinitions", {}).get("parameters", {})
        inputs = {name: bool(value.get("isOptional")) for name, value in parameters.items()}
    except (LookupError, TypeError, AttributeError):
        raise PipelineError(
            f"file: {file} is not a compiled pipeline. `make kubeflow-compile` writes some to "
            "module4/lab2_kubeflow/compiled."
        ) from None
    if not name or len(documents) > 2:
        raise PipelineError(f"file: {file} must hold one pipeline and, at most, its Kubernetes settings.")
    return inputs


def connect(host: str, namespace: str | None = None) -> kfp.Client:
    """Return a client of the server at `host`. Raises PipelineError that says what is wrong with host or token."""
    check_url(host)
    token = os.environ.get(TOKEN)
    check(host, token)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # each client warns that it wants a server of version 2
        return kfp.Client(host=host, existing_token=token, namespace=namespace or "kubeflow")


def check_store(store: str) -> None:
    """Raise PipelineError unless `store` is a place that means the same to every pod."""
    if not re.fullmatch(r"(/|[a-z][a-z0-9+.-]*://[^/\s])\S*", store):
        raise PipelineError(
            f"store: pods cannot find {store!r}. Give an absolute path that is mounted in them, such as /store, or a "
            "URI, such as s3://bucket/folder."
        )


def check_cron(cron: str) -> None:
    """Raise PipelineError unless `cron` has the six fields of a schedule, seconds first."""
    if len(cron.split()) != 6 or not croniter.is_valid(cron, second_at_beginning=True):
        raise PipelineError(
            f"cron: {cron!r} is not a schedule. Write six fields, seconds first, such as '0 30 6 * * MON' for every "
            "Monday at 6:30."
        )


def check_url(host: str) -> None:
    """Raise PipelineError unless `host` is the URL of a web server."""
    try:
        url = urlsplit(host)
        valid = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not re.search(r"\s", host)
    except ValueError:  # a port that is not a number, or a bracket that is not closed
        valid = False
    if not valid:
        raise PipelineError(f"host: {host!r} is not a server's URL, such as http://localhost:8080.")


def check(host: str, token: str | None) -> None:
    """Ask the server once whether it is up, lets us in, and is new enough: kfp.Client would ask five times."""
    connection = kfp_server_api.Configuration(host=host.rstrip("/"))
    connection.retries = False
    if token:
        connection.api_key, connection.api_key_prefix = {"authorization": token}, {"authorization": "Bearer"}
    health = kfp_server_api.HealthzServiceApi(kfp_server_api.ApiClient(connection))
    with explained(host):
        answer = health.healthz_service_get_healthz(_preload_content=False, _request_timeout=PATIENCE_SECONDS)
        try:
            json.loads(answer.data)
        except ValueError:  # a page to log in, where an answer was expected
            raise PipelineError(_refused(host)) from None


@contextmanager
def explained(host: str) -> Iterator[None]:
    """Turn errors that the client raises inside the block into a PipelineError that says what to do."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise PipelineError(
            f"host: no server answers at {host} ({type(error).__name__}). Check the address; to reach a cluster's: "
            "kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80"
        ) from None
    except kfp_server_api.ApiException as error:
        if error.status in (302, 303, 401, 403):
            raise PipelineError(_refused(host)) from None
        if error.status in (404, 405, 501):
            raise PipelineError(
                f"host: {host} does not know the API v2beta1. Is it Kubeflow Pipelines 2 or newer?"
            ) from None
        raise PipelineError(f"{host} answered {error.status} {error.reason}: {_message(error)}") from None


def upload(client: kfp.Client, file: Path) -> kfp_server_api.V2beta1PipelineVersion:
    """Store the file on the server, once, and return its version there, whose name is derived from its content.

    For a new pipeline the server also adds a version with the pipeline's own name.
    """
    name = file.stem
    version = f"{name}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    pipeline = client.get_pipeline_id(name)
    if pipeline is None:
        pipeline = client.upload_pipeline(str(file), pipeline_name=name).pipeline_id
    known = client.list_pipeline_versions(pipeline, page_size=100).pipeline_versions or []
    stored = next((one for one in known if one.display_name == version), None)
    return stored or client.upload_pipeline_version(str(file), pipeline_version_name=version, pipeline_id=pipeline)


def start(client: kfp.Client, file: Path, arguments: dict[str, Any], namespace: str | None = None) -> str:
    """Run the file once, with these arguments, and return the run's id."""
    run = client.create_run_from_pipeline_package(
        str(file), arguments, run_name=file.stem, experiment_name=EXPERIMENT, namespace=namespace
    )
    return str(run.run_id)


def wait(client: kfp.Client, run_id: str) -> None:
    """Wait until the run has ended, and say how each task does. Raises PipelineError if the run failed."""
    seen: set[tuple[str, str]] = set()
    while True:
        run = client.get_run(run_id)
        for task in (run.run_details and run.run_details.task_details) or []:
            name = task.display_name or "root"  # for a moment, a new task has no name
            if (name, task.state) not in seen and not INNER.fullmatch(name):
                seen.add((name, task.state))
                print(f"{name}: {task.state}", flush=True)
        if run.state in ENDED:
            break
        time.sleep(POLL_SECONDS)
    if run.state != "SUCCEEDED":
        raise PipelineError(
            f"run {run_id}: {run.state}. Its page in the server's UI shows why: /#/runs/details/{run_id}"
        )
    print(f"{run.state} after {(run.finished_at - run.created_at).total_seconds():.0f} s")


def schedule(client: kfp.Client, file: Path, arguments: dict[str, Any], cron: str, namespace: str | None = None) -> str:
    """Run the file whenever `cron` says (six fields, seconds first) and return the recurring run's id.

    One run at a time. Runs that were missed while the schedule was off are not caught up. The file is uploaded first;
    each run takes the newest version of its pipeline, because only then does the server fill in the day.
    """
    stored = upload(client, file)
    experiment = client.create_experiment(EXPERIMENT, namespace=namespace)
    wanted = kfp_server_api.V2beta1RecurringRun(
        display_name=file.stem,
        experiment_id=experiment.experiment_id,
        trigger=kfp_server_api.V2beta1Trigger(cron_schedule=kfp_server_api.V2beta1CronSchedule(cron=cron)),
        mode=kfp_server_api.RecurringRunMode.ENABLE,
        max_concurrency=1,
        no_catchup=True,
        runtime_config=kfp_server_api.V2beta1RuntimeConfig(parameters=arguments),
        pipeline_version_reference=kfp_server_api.V2beta1PipelineVersionReference(pipeline_id=stored.pipeline_id),
    )
    # `client.create_recurring_run` insists on a version, and in runs of a given version KFP 2.17 fills in nothing.
    recurring = client._recurring_run_api.recurring_run_service_create_recurring_run(wanted)
    return str(recurring.recurring_run_id)


def _refused(host: str) -> str:
    return (
        f"host: {host} does not let us in: the token is missing, wrong or expired. Ask the server's administrator for "
        f"one and put it into the environment variable {TOKEN}."
    )


def _message(error: kfp_server_api.ApiException) -> str:
    try:
        answer = json.loads(error.body)
        return str(answer.get("message") or answer.get("error") or answer)
    except (TypeError, ValueError, AttributeError):
        return str(error.body or "no explanation")
