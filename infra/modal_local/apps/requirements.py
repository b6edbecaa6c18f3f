"""What a function asks for and does not get here."""

from collections.abc import Iterable

from modal_proto import api_pb2

CLOSED = (api_pb2.NetworkAccess.BLOCKED, api_pb2.NetworkAccess.ALLOWLIST)


def asked_for(definition: api_pb2.Function, ranked: Iterable[api_pb2.Function] = ()) -> str:
    """Name what a function asks for and does not get; the function runs without it.

    `ranked` holds one definition per acceptable kind of GPU, the preferred one first.
    """
    resources, placement = definition.resources, definition.scheduler_placement
    settings = definition.autoscaler_settings
    asked = [
        " or ".join(filter(None, map(_gpu, ranked))) or _gpu(definition),
        f"{_span(resources.milli_cpu / 1000, resources.milli_cpu_max / 1000)} CPUs" if resources.milli_cpu else "",
        f"{_span(resources.memory_mb, resources.memory_mb_max)} MiB" if resources.memory_mb else "",
        f"a disk of {resources.ephemeral_disk_mb} MiB" if resources.ephemeral_disk_mb else "",
        "RDMA" if resources.rdma else "",
        f"cloud {definition.cloud_provider_str}" if definition.cloud_provider_str else "",
        f"region {' or '.join(placement.regions)}" if placement.regions else "",
        f"routing region {definition.routing_region}" if definition.routing_region else "",
        "machines that are not preempted" if placement.nonpreemptible else "",
        f"{settings.buffer_containers} spare containers" if settings.buffer_containers else "",
        "memory snapshots" if definition.checkpointing_enabled else "",
        "a blocked network"
        if definition.block_network or definition.network_access.network_access_type in CLOSED
        else "",
        "no access to Modal" if definition.untrusted else "",
        "a private network (i6pn)" if definition.i6pn_enabled and not definition._experimental_group_size else "",
        *(f"the experimental option {name}" for name in sorted(definition.experimental_options)),
    ]
    return ", ".join(filter(None, asked))


def web_endpoints(definition: api_pb2.Function) -> list[str]:
    """Return the names of the web endpoints that a definition has: a function, or methods of a class."""
    if definition.webhook_config.type or definition.is_server:
        return [definition.function_name]
    return [one.function_name for one in definition.method_definitions.values() if one.webhook_config.type]


def why_not_callable(definition: api_pb2.Function) -> str:
    """Explain why a function cannot be called here; an empty text if it can. The rest of its app still runs."""
    name = definition.function_name
    buckets = [f"{one.bucket_name} at {one.mount_path}" for one in definition.cloud_bucket_mounts]
    reasons = {
        f"{name} is a web endpoint, which is not served": name in web_endpoints(definition),
        f"{name} mounts the bucket {' and '.join(buckets)}, and bucket mounts are not emulated": buckets,
        f"{name} mounts a network file system, which is not emulated": definition.shared_volume_mounts,
        f"{name} needs a cluster of {definition._experimental_group_size} containers, and clusters are not emulated": (
            definition._experimental_group_size
        ),
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _gpu(definition: api_pb2.Function) -> str:
    gpu = definition.resources.gpu_config
    return f"GPU {gpu.gpu_type}{f':{gpu.count}' if gpu.count > 1 else ''}" if gpu.count else ""


def _span(least: float, most: float) -> str:
    return f"{least:g} to {most:g}" if most > least else f"{least:g}"
