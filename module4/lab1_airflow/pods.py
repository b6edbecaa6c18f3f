"""A step in a pod, which fails within a minute, and says why, if the pod cannot start or was killed.

Airflow's own operator waits until a time limit for a pod whose image does not exist, and reports in its end that the
time is over. The cluster knows the reason all the while, so this one asks for it.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.triggers.pod import ContainerState, KubernetesPodTrigger
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodLaunchTimeoutException
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from kubernetes.client import ApiException

# Waiting for a larger node is normal, and so is a pull that fails once. A pod rarely recovers from these.
HOPELESS = {
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
}
UNBOUND = ("unbound immediate PersistentVolumeClaims", "persistentvolumeclaim")
PATIENCE_SECONDS = 30  # a new claim is bound, and a missing secret written, within seconds


def problem(pod: Any) -> str:
    """Return why a pod cannot start, in the cluster's words; empty if it can, or may be able to soon."""
    for status in pod.status.container_statuses or []:
        waiting = status.state and status.state.waiting
        if waiting and waiting.reason in HOPELESS:
            return f"{status.name}: {waiting.reason}: {waiting.message or status.image}"
    for condition in pod.status.conditions or []:
        message = condition.message or ""
        if (
            condition.type == "PodScheduled"
            and condition.status == "False"
            and any(part in message for part in UNBOUND)
        ):
            return f"{condition.reason}: {message}"
    return ""


def end(pod: Any) -> str:
    """Return how a pod's work ended, such as `OOMKilled, exit status 137`; empty if it has not ended."""
    for status in pod.status.container_statuses or []:
        ended = status.state and status.state.terminated
        if status.name == "base" and ended:
            memory = " The limit is in pod.yaml." if ended.reason == "OOMKilled" else ""
            return f"{ended.reason}, exit status {ended.exit_code}.{memory}"
    return ""


class StepTrigger(KubernetesPodTrigger):
    """Waits for a pod, but not for one that cannot start."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Name this class, which the triggerer then makes again."""
        return f"{type(self).__module__}.{type(self).__name__}", super().serialize()[1]

    async def _wait_for_pod_start(self) -> ContainerState:
        """Return the container's state once the pod has left `Pending`, or raise with the reason why it does not."""
        seen = 0.0
        while True:
            pod = await self._get_pod()
            if pod.status.phase != "Pending":
                return self.define_container_state(pod)
            reason = problem(pod)
            seen = seen + self.startup_check_interval if reason else 0.0
            if seen > PATIENCE_SECONDS:
                raise PodLaunchTimeoutException(reason)
            if (datetime.now(tz=UTC) - self.trigger_start_time).total_seconds() > self.startup_timeout:
                raise PodLaunchTimeoutException(
                    f"still pending after {self.startup_timeout} s: no node has room for it"
                )
            await asyncio.sleep(self.startup_check_interval)


class StepOperator(KubernetesPodOperator):
    """Runs one step in a pod; its failure is one sentence, the last of the task's log."""

    def execute(self, context: Any) -> Any:
        """Start the pod. A right that is missing will be missing again, so there is no second attempt."""
        try:
            return super().execute(context)
        except ApiException as error:
            if error.status == 403:
                raise AirflowFailException(f"Airflow's account may not do this: {message_of(error)}") from None
            raise

    def invoke_defer_method(self, last_log_time: Any = None) -> None:
        """Let the trigger above wait, in place of Airflow's own."""
        assert self.pod is not None
        trigger = StepTrigger(
            pod_name=self.pod.metadata.name,
            pod_namespace=self.pod.metadata.namespace,
            trigger_start_time=datetime.now(tz=UTC),
            kubernetes_conn_id=self.kubernetes_conn_id,
            cluster_context=self.cluster_context,
            config_dict=self._config_dict,
            in_cluster=self.in_cluster,
            poll_interval=self.poll_interval,
            get_logs=self.get_logs,
            startup_timeout=self.startup_timeout_seconds,
            startup_check_interval=self.startup_check_interval_seconds,
            base_container_name=self.base_container_name,
            on_finish_action=self.on_finish_action.value,
            last_log_time=last_log_time,
            logging_interval=self.logging_interval,
        )
        self.defer(trigger=trigger, method_name="trigger_reentry")

    def trigger_reentry(self, context: Any, event: dict[str, Any]) -> Any:
        """Return the step's result; for a pod that failed, raise its reason after its log."""
        if event["status"] not in ("error", "failed", "timeout"):
            return super().trigger_reentry(context, event)
        pod = self.hook.get_pod(event["name"], event["namespace"])
        if pod and event["status"] == "failed":
            self._write_logs(pod)
        reason = (pod and end(pod)) or event.get("message") or "no reason given"
        if pod:
            self.process_pod_deletion(pod)
        text = f"pod {event['name']}: {reason}"
        raise AirflowFailException(text) if event["status"] == "timeout" else AirflowException(text)


def message_of(error: ApiException) -> str:
    """Return what the cluster says in an error's body, or its short reason."""
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
