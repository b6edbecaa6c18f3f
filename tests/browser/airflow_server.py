"""The Airflow lab's server for tests: `make ui-airflow` on a free port, asked through its REST API and its commands."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import psutil

from module4.platforms import ROOT
from tests.servers import free_port

SECONDS = 900  # for one run or backfill, on a machine that may be busy


class Server:
    """`python -m module4.lab1_airflow ui` on a free port, and requests to it."""

    def __init__(self, store: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.store = store
        self.settings = {**os.environ, "PIPELINE_STORE": str(store), "OMP_NUM_THREADS": "1"}
        self.settings["STEP_TIMEOUT"] = "120"  # a step takes seconds, and a minute on a busy machine
        self.process = subprocess.Popen(
            [sys.executable, "-m", "module4.lab1_airflow", "ui", "--port", str(port)],
            cwd=ROOT,
            env=self.settings,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        lines = [self.process.stdout.readline(), self.process.stdout.readline()]
        assert "is ready" in lines[-1], lines
        with urlopen(f"{self.url}/auth/token", timeout=60) as answer:
            self.token = json.load(answer)["access_token"]
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/api/v2/{path}", data, headers), timeout=60) as answer:
            return json.load(answer)

    def trigger(self, dag: str, run: str, day: str | None = None, **conf: str) -> None:
        logical_date = None if day is None else f"{day}T00:00:00Z"
        self.ask(f"dags/{dag}/dagRuns", {"dag_run_id": run, "logical_date": logical_date, "conf": conf})

    def wait_for(self, dag: str, run: str) -> str:
        give_up = time.monotonic() + SECONDS
        while (state := self.ask(f"dags/{dag}/dagRuns/{quote(run)}")["state"]) not in ("success", "failed"):
            assert time.monotonic() < give_up, f"{dag} {run}: still {state}"
            time.sleep(1)
        return str(state)

    def tries(self, dag: str, run: str) -> dict[str, int]:
        tasks = self.ask(f"dags/{dag}/dagRuns/{quote(run)}/taskInstances")["task_instances"]
        return {f"{task['task_id']}[{task['map_index']}]": task["try_number"] for task in tasks}

    def runs(self, dag: str, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(f"dags/{dag}/dagRuns?run_type={kind}&limit=100")["dag_runs"]
        return found

    def airflow(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "module4.lab1_airflow", "airflow", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.settings, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr

    def backfill(self, first: str, last: str, *more: str) -> None:
        self.airflow(
            "backfill", "create", "--dag-id", "inference", "--from-date", first, "--to-date", last,
            "--max-active-runs", "4", *more,
        )  # fmt: skip
        give_up = time.monotonic() + SECONDS
        # The scheduler needs up to 30 s to notice that a backfill has ended, and refuses another one until then.
        while unfinished := [x for x in self.ask("backfills?dag_id=inference")["backfills"] if not x["completed_at"]]:
            assert time.monotonic() < give_up, unfinished
            time.sleep(1)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)
