"""Send compiled pipelines to a Kubeflow Pipelines server: upload one, run it, or let it run again and again.

The server is given by its URL. A token, if it wants one, comes from the environment: on a command line it would stay
in the shell's history.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kfp
import kfp_server_api
import urllib3

from shared.errors import PipelineError

EXPERIMENT = "one-pipeline"
TOKEN = "KFP_TOKEN"
PATIENCE_SECONDS = 10


def connect(host: str, namespace: str | None = None) -> kfp.Client:
    """Return a client of the server at `host`. Raises PipelineError that says what is wrong with host or token."""
    if not host.startswith(("http://", "https://")):
        raise PipelineError(f"host: give the server's URL, as in http://localhost:8080, got {host!r}.")
    token = os.environ.get(TOKEN)
    check(host, token)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # each client warns that it wants a server of version 2
        return kfp.Client(host=host, existing_token=token, namespace=namespace or "kubeflow")


def check(host: str, token: str | None) -> None:
    """Ask the server once whether it is there, lets us in, and is new enough: kfp.Client would ask five times."""
    settings = kfp_server_api.Configuration(host=host.rstrip("/"))
    settings.retries = False
    if token:
        settings.api_key, settings.api_key_prefix = {"authorization": token}, {"authorization": "Bearer"}
    health = kfp_server_api.HealthzServiceApi(kfp_server_api.ApiClient(settings))
    with explained(host):
        answer = health.healthz_service_get_healthz(_preload_content=False, _request_timeout=PATIENCE_SECONDS)
        try:
            json.loads(answer.data)
        except ValueError:  # a page to log in, where an answer was expected
            raise PipelineError(_refused(host)) from None


@contextmanager
def explained(host: str) -> Iterator[None]:
    """Turn what the client raises inside of the block into a PipelineError that says what to do."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise PipelineError(
            f"host: nobody answers at {host} ({type(error).__name__}). Is the address right, and is it reachable? "
            "To a cluster: kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80"
        ) from None
    except kfp_server_api.ApiException as error:
        if error.status in (302, 303, 401, 403):
            raise PipelineError(_refused(host)) from None
        if error.status in (404, 405, 501):
            raise PipelineError(
                f"host: {host} does not know {kfp.__version__}'s API (v2beta1). Is it Kubeflow Pipelines 2 or newer?"
            ) from None
        raise PipelineError(f"{host} answered {error.status} {error.reason}: {_message(error)}") from None


def upload(client: kfp.Client, file: Path) -> str:
    """Store the file on the server and return its version's name, which follows from its content: it is stored once.

    A new pipeline comes with a version under its own name too: so the server does it.
    """
    name = file.stem
    version = f"{name}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    pipeline = client.get_pipeline_id(name)
    if pipeline is None:
        pipeline = client.upload_pipeline(str(file), pipeline_name=name).pipeline_id
    known = client.list_pipeline_versions(pipeline, page_size=100).pipeline_versions or []
    if version not in {one.display_name for one in known}:
        client.upload_pipeline_version(str(file), pipeline_version_name=version, pipeline_id=pipeline)
    return version


def start(client: kfp.Client, file: Path, arguments: dict[str, Any], namespace: str | None = None) -> str:
    """Run the file once, with these arguments, and return the run's id."""
    run = client.create_run_from_pipeline_package(
        str(file), arguments, run_name=file.stem, experiment_name=EXPERIMENT, namespace=namespace
    )
    return str(run.run_id)


def schedule(client: kfp.Client, file: Path, arguments: dict[str, Any], cron: str, namespace: str | None = None) -> str:
    """Run the file whenever `cron` says (six fields, seconds first) and return the recurring run's id.

    One run at a time. Runs that were missed while the schedule was off are not made up for.
    """
    experiment = client.create_experiment(EXPERIMENT, namespace=namespace)
    recurring = client.create_recurring_run(
        experiment.experiment_id,
        job_name=file.stem,
        cron_expression=cron,
        max_concurrency=1,
        no_catchup=True,
        params=arguments,
        pipeline_package_path=str(file),
    )
    return str(recurring.recurring_run_id)


def _refused(host: str) -> str:
    return (
        f"host: {host} does not let us in. Put a token into the environment variable {TOKEN}, as the server's "
        "administrator says; the present one is missing, wrong or too old."
    )


def _message(error: kfp_server_api.ApiException) -> str:
    try:
        answer = json.loads(error.body)
        return str(answer.get("message") or answer.get("error") or answer)
    except (TypeError, ValueError, AttributeError):
        return str(error.body or "no explanation")
