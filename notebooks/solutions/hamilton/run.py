"""Run the pipeline with Apache Hamilton."""

import os

os.environ.setdefault("HAMILTON_AUTOLOAD_EXTENSIONS", "0")  # without it, importing Hamilton takes seconds

import flow
from hamilton import driver
from hamilton.execution.executors import MultiThreadingExecutor

from shared import steps
from shared.config import PipelineConfig
from shared.fingerprint import Fingerprint
from shared.storage import exclusive


def build() -> driver.Driver:
    """Return Hamilton's driver, which knows the graph of the functions in `flow`."""
    return (
        driver.Builder()
        .with_modules(flow)
        .enable_dynamic_execution(allow_experimental_mode=True)
        .with_remote_executor(MultiThreadingExecutor(max_tasks=2))
        .build()
    )


def run(config: PipelineConfig, store: str) -> Fingerprint:
    """Run below `store` and return the fingerprint."""
    folder = f"{store}/runs/hamilton"
    inputs = {"config_json": config.to_json(), "folder": folder, "registry": f"{store}/registry"}
    with exclusive(folder):
        results = build().execute(["deploy"], inputs=inputs)
    return steps.read_fingerprint(results["deploy"]["uri"])
