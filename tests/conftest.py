"""Fixtures for all tests. What is read here is real data of the preset tiny, once per test process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shared import data, features
from shared.config import PipelineConfig, preset

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """Let servers hear Ctrl-C even if these tests run in the background, where it would be ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first and the quick ones last, so that all processes end at the same time."""
    items.sort(key=lambda item: ("pages" not in item.path.parts, "unit" in item.path.parts))


@pytest.fixture(scope="session")
def tiny() -> PipelineConfig:
    return preset("tiny")


@pytest.fixture(scope="session")
def tiny_flights(tiny: PipelineConfig) -> pd.DataFrame:
    return data.load_data(tiny)


@pytest.fixture(scope="session")
def tiny_features(tiny: PipelineConfig, tiny_flights: pd.DataFrame) -> pd.DataFrame:
    return features.preprocess(tiny, tiny_flights)


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run this Python with the given arguments in the repository's root, with one thread so that tests share cores."""

    def run(*arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(env or {})},
            capture_output=True,
            text=True,
            timeout=400,
            **options,
        )

    return run


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Switch the file of events on and return a function that reads it."""
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("PIPELINE_EVENTS", str(path))
    return lambda: [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
