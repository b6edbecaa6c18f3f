"""A pod that cannot start, or was killed: the reason is found in what a cluster says of such pods.

test_airflow_pods.py runs this file in a process of its own, because Airflow reads its environment when it is imported.
"""

import asyncio
from typing import Any

import pytest


def pod(phase: str = "Pending", waiting: str = "", scheduled: str = "", ended: tuple[str, int] | None = None) -> Any:
    """A pod as the cluster describes it: with a waiting container, an unscheduled pod, or one that has ended."""
    from kubernetes.client import models as k8s

    state = k8s.V1ContainerState()
    if waiting:
        state.waiting = k8s.V1ContainerStateWaiting(reason=waiting, message=f"why: {waiting}")
    if ended:
        state.terminated = k8s.V1ContainerStateTerminated(reason=ended[0], exit_code=ended[1])
    status = k8s.V1ContainerStatus(
        name="base", image="one-pipeline:dev", image_id="", ready=False, restart_count=0, state=state
    )
    condition = k8s.V1PodCondition(type="PodScheduled", status="False", reason="Unschedulable", message=scheduled)
    return k8s.V1Pod(
        status=k8s.V1PodStatus(
            phase=phase,
            container_statuses=[status] if waiting or ended else None,
            conditions=[condition] if scheduled else None,
        )
    )


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (pod(waiting="ErrImageNeverPull"), "base: ErrImageNeverPull: why: ErrImageNeverPull"),
        (pod(waiting="ImagePullBackOff"), "base: ImagePullBackOff: why: ImagePullBackOff"),
        (
            pod(waiting="CreateContainerConfigError"),
            "base: CreateContainerConfigError: why: CreateContainerConfigError",
        ),
        (
            pod(scheduled="0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
            "Unschedulable: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        ),
        (
            pod(scheduled='persistentvolumeclaim "late-arrival" not found'),
            'Unschedulable: persistentvolumeclaim "late-arrival" not found',
        ),
        (pod(waiting="ErrImagePull"), "base: ErrImagePull: why: ErrImagePull"),
        # These may pass: a container that is being made, a node that is full.
        (pod(waiting="ContainerCreating"), ""),
        (pod(scheduled="0/1 nodes are available: 1 Insufficient cpu."), ""),
        (pod(), ""),
    ],
)
def test_a_pod_that_cannot_start_is_told_from_one_that_waits(described: Any, expected: str) -> None:
    from module4.lab1_airflow.pods import problem

    assert problem(described) == expected


def test_a_killed_container_says_that_memory_was_the_reason() -> None:
    from module4.lab1_airflow.pods import end

    assert end(pod("Failed", ended=("OOMKilled", 137))).startswith("OOMKilled, exit status 137.")
    assert end(pod("Failed", ended=("Error", 1))) == "Error, exit status 1."
    assert end(pod()) == ""


def trigger(states: list[Any]) -> Any:
    """A trigger that sees these pods, one after the other, and then the last one again."""
    from datetime import UTC, datetime

    from module4.lab1_airflow.pods import StepTrigger

    made = StepTrigger("a-pod", "labs", datetime.now(tz=UTC), "base", startup_timeout=600, startup_check_interval=1)

    async def get_pod() -> Any:
        return states.pop(0) if len(states) > 1 else states[0]

    made._get_pod = get_pod  # type: ignore[method-assign]
    return made


def event_of(made: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], float]:
    """The trigger's event, and the seconds that it would have slept."""
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("module4.lab1_airflow.pods.asyncio.sleep", sleep)

    async def first() -> Any:
        return await anext(made.run())

    return asyncio.run(first()).payload, sum(slept)


def test_a_missing_image_ends_the_wait_within_a_minute_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    event, seconds = event_of(trigger([pod(waiting="ErrImageNeverPull")]), monkeypatch)
    assert (event["status"], event["message"]) == ("timeout", "base: ErrImageNeverPull: why: ErrImageNeverPull")
    assert seconds < 60


def test_an_image_that_is_pulled_again_and_again_ends_the_wait_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pulls = [pod(waiting="ErrImagePull" if second % 10 < 3 else "ImagePullBackOff") for second in range(100)]
    event, seconds = event_of(trigger(pulls), monkeypatch)
    assert event["status"] == "timeout"
    assert seconds < 60


def test_a_claim_that_is_bound_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    unbound = pod(scheduled="pod has unbound immediate PersistentVolumeClaims")
    states = [*[unbound] * 20, pod(), pod("Running", ended=("Completed", 0))]
    event, _ = event_of(trigger(states), monkeypatch)
    assert event["status"] == "success"


def test_the_triggerer_makes_the_same_trigger_again() -> None:
    from airflow._shared.module_loading import import_string

    path, arguments = trigger([pod()]).serialize()
    assert type(import_string(path)(**arguments)).__name__ == "StepTrigger"
