"""Know whether the pictures in module4/images show what there is now: `python -m notebooks.tools.pictures`.

`make pictures` takes them again, and `make benchmark-reference` those of the benchmark. For each picture,
`digests.json` beside it holds a digest of what the picture showed when it was taken. If that digest is different today,
the picture is stale.
"""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from module4.benchmark.reference import reference
from module4.platforms import ROOT
from shared.config import preset
from shared.graph import GRAPHS

IMAGES = ROOT / "module4" / "images"
DIGESTS = "digests.json"
FIGURES = ("fanout", "faults", "overhead")  # parts of the benchmark that are drawn


def _version(package: str) -> str:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(rf"^{re.escape(package)}==\S+", lock, re.MULTILINE)[0]


def _code(path: str, *names: str) -> str:
    """Return the code of a module, or of some of its functions, without comments and layout."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    chosen = [node for node in body if not names or getattr(node, "name", "") in names]
    return "\n".join(ast.dump(node) for node in chosen)


def _airflow() -> str:
    dags = [ROOT / "module4" / "lab1_airflow" / f"{name}.py" for name in GRAPHS]
    functions = [node for path in dags for node in ast.parse(path.read_text(encoding="utf-8")).body]
    decorators = [ast.dump(one) for node in functions for one in getattr(node, "decorator_list", [])]  # schedules
    return f"{GRAPHS} {_version('apache-airflow-core')} {decorators}"


def _benchmark(part: str) -> str:
    return json.dumps(reference()["parts"][part]) + _code("module4/benchmark/draw.py")


def _dagster() -> str:
    return f"{GRAPHS} {_version('dagster-webserver')} {_code('module4/lab3_dagster/step_table.py')}"


# What a picture shows, as text: names and arrows, the version of the web page, or the code that draws it.
SHOWN: dict[str, Callable[[], str]] = {
    "airflow-dags.png": _airflow,
    "airflow-graph.png": _airflow,
    **{f"benchmark-{part}.png": partial(_benchmark, part) for part in FIGURES if reference()["parts"].get(part)},
    "dagster-assets.png": _dagster,
    "dagster-evaluate.png": lambda: _dagster() + _code("module4/lab3_dagster/metadata.py"),
    # Of a server in a cluster, so `make pictures` cannot take it again: see lab 2's README.
    "kubeflow-cluster.png": lambda: (
        _version("kfp") + _code("module4/lab2_kubeflow/pipelines.py", "train_and_deploy", "hyperparameter_search")
    ),
    "watch-lab.png": lambda: preset("lab").to_json() + _code("shared/report.py", "year_figure"),
}


def digest(name: str) -> str:
    """Return the digest of what the picture `name` would show today."""
    return hashlib.sha256(SHOWN[name]().encode()).hexdigest()[:16]


def read_digests(folder: Path = IMAGES) -> dict[str, str]:
    """Return the digests of what the pictures showed when they were taken."""
    path = folder / DIGESTS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def record(name: str, folder: Path = IMAGES) -> None:
    """Note that the picture `name` has just been taken."""
    known = read_digests(folder) | {name: digest(name)}
    (folder / DIGESTS).write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n", encoding="utf-8")


def stale(folder: Path = IMAGES) -> list[str]:
    """Return a sentence for each picture that is missing, unknown, or shows something that has changed."""
    found, known = {path.name for path in folder.glob("*.png")}, read_digests(folder)
    problems = [f"{name} is missing." for name in SHOWN if name not in found]
    problems += [f"{name} is in no list: say in SHOWN what it shows." for name in sorted(found - {*SHOWN})]
    problems += [
        f"{name} is stale: take it again with make pictures."
        for name in SHOWN
        if name in found and known.get(name) != digest(name)
    ]
    return problems


def main() -> int:
    """Print the problems; with names as arguments, record that these pictures have been taken."""
    for name in sys.argv[1:]:
        record(name)
    problems = stale()
    print("\n".join(problems) or f"{len(SHOWN)} pictures show what there is.")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
