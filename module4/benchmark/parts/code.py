"""The code: lines of each lab by purpose. A line counts if it holds code: no blank line, comment or docstring."""

import ast
import io
import re
import tokenize
from functools import partial
from pathlib import Path

from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Row, Values
from module4.platforms import PLATFORMS, ROOT

# The files of each lab by purpose; what is not listed is `other` (web pages, extra exercises, compilers).
PURPOSES = {
    "make": {"training": ["Makefile"], "running": ["run.py", "__main__.py"]},
    "airflow": {
        "training": ["training.py", "common.py"],
        "inference": ["inference.py"],
        "monitoring": ["monitoring.py"],
        "running": ["run.py", "environment.py", "__main__.py"],
    },
    "kubeflow": {
        "training": ["components.py", "pipelines.py", "cluster.py"],  # inference and monitoring are in the same files
        "running": ["run.py", "__main__.py"],
    },
    "dagster": {
        "training": ["assets.py", "definitions.py", "automation.py"],
        "storage": ["io_manager.py", "resources.py", "metadata.py"],
        "inference": ["inference.py"],
        "monitoring": ["monitoring.py"],
        "running": ["run.py", "__main__.py"],
    },
    "modal": {
        "training": ["training.py"],
        "inference": ["inference.py"],
        "monitoring": ["monitoring.py"],
        "running": ["run.py", "__main__.py"],
    },
}
LABS = {
    "make": "lab0_make",
    "airflow": "lab1_airflow",
    "kubeflow": "lab2_kubeflow",
    "dagster": "lab3_dagster",
    "modal": "lab4_modal",
}
WORDS = {
    "retries": r"retr(y|ies)|backoff|\.partial|DELETE_ON_ERROR",
    "schedule": r"schedule|cron|Cron|timetable",
}


def cases(plan: Plan) -> list[Case]:
    """Return a case per lab."""
    return [Case(name, partial(measure, name)) for name in PURPOSES]


def measure(platform: str, place: Place) -> Values:
    """Count the lines of a lab's files, those that speak of retries and schedules, and those of its tests."""
    folder = ROOT / "module4" / LABS[platform]
    lines = {
        path: code_lines(path) for path in sorted(folder.rglob("*")) if path.suffix == ".py" or path.stem == "Makefile"
    }
    purposes = PURPOSES[platform]
    counted = {purpose: sum(len(lines[folder / name]) for name in names) for purpose, names in purposes.items()}
    counted["other"] = sum(map(len, lines.values())) - sum(counted.values())
    everything = [line for one in lines.values() for line in one]
    for word, pattern in WORDS.items():
        counted[f"of_them_{word}"] = sum(bool(re.search(pattern, line)) for line in everything)
    tests = (ROOT / "tests" / "labs").glob(f"test_{platform}*.py")
    counted["tests"] = sum(len(code_lines(path)) for path in tests)
    return counted


def code_lines(path: Path) -> list[str]:
    """Return a file's lines that hold code."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [lines[number - 1] for number in sorted(code_line_numbers(path))]


def code_line_numbers(path: Path) -> set[int]:
    """Return the numbers, from 1, of a file's lines that hold code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        lines = enumerate(text.splitlines(), 1)
        return {number for number, line in lines if line.strip() and not line.lstrip().startswith("#")}
    documentation = set[int]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            documentation |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    ignored = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    numbers = {
        number
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in ignored
        for number in range(token.start[0], token.end[0] + 1)
    }
    return numbers - documentation


def rows(measurements: Measurements) -> list[Row]:
    """Return a row per lab: lines of code by purpose."""
    purposes = list(dict.fromkeys(purpose for runs in measurements.values() for purpose in runs[0]))
    return [
        {
            "platform": platform,
            "title": PLATFORMS[platform].title,
            **{purpose: runs[0].get(purpose, 0) for purpose in purposes},
        }
        for platform, runs in measurements.items()
    ]


PART = Part("Lines of code", cases, rows)
