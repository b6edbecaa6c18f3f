"""A way to the Kubeflow Pipelines server in a cluster: kubectl's port-forward, open as long as it is needed."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from infra.processes import supervised
from shared.errors import PipelineError

KIND = "kind-one-pipeline"  # the context of the cluster that `make cluster-up` creates
NAMESPACE, SERVICE = "kubeflow", "service/ml-pipeline-ui"
PATIENCE_SECONDS = 20


@contextmanager
def forwarded(context: str = "") -> Iterator[str]:
    """Yield the URL of the server in the cluster of a kubeconfig's context, by default kind's, and close the way after.

    Raises PipelineError, with kubectl's reason, if there is no way to a server.
    """
    if not shutil.which("kubectl"):
        raise PipelineError(
            "host: missing. Name the server's URL, HOST=http://localhost:8080. Only with kubectl can the command find "
            "the server of `make cluster-up KUBEFLOW=1`: https://kubernetes.io/docs/tasks/tools"
        )
    context = context or KIND
    command = ["kubectl", f"--context={context}", "port-forward", f"--namespace={NAMESPACE}", SERVICE, ":80"]
    pipe = subprocess.PIPE
    with subprocess.Popen(supervised(command), stdout=pipe, stderr=pipe, text=True) as forward:
        hurry = threading.Timer(PATIENCE_SECONDS, forward.terminate)
        hurry.start()
        try:
            assert forward.stdout is not None
            assert forward.stderr is not None
            answer = forward.stdout.readline()
            hurry.cancel()
            port = re.search(r"127\.0\.0\.1:(\d+)", answer)
            if not port:
                reason = (forward.stderr.read().strip().splitlines() or [f"no answer in {PATIENCE_SECONDS} s"])[-1]
                raise PipelineError(
                    f"host: missing, and there is no way to a server in the cluster of {context!r} ({reason}). Name "
                    "the server's URL, HOST=http://localhost:8080, or start one: make cluster-up KUBEFLOW=1"
                )
            yield f"http://127.0.0.1:{port[1]}"
        finally:
            hurry.cancel()
            forward.terminate()
