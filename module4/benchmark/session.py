"""Measurements, made in rounds (A B C, A B C …) and kept one by one, so that a benchmark can be stopped and resumed."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psutil

Values = dict[str, Any]
Row = dict[str, Any]

BUSY = 0.15  # a machine whose other programs use more than this share of its processors is called busy


@dataclass(frozen=True)
class Plan:
    """What is asked for: `preset` is that of the pipelines; `quick` measures fewer things, once; `large` more data."""

    preset: str = "lab"
    quick: bool = False
    large: bool = False

    @property
    def rounds(self) -> int:
        """How often a short measurement is repeated."""
        return 1 if self.quick else 3

    @property
    def long_rounds(self) -> int:
        """How often one is repeated that takes minutes on all platforms together."""
        return 1 if self.quick else 3 if self.large else 2

    @property
    def matrix_rounds(self) -> int:
        """How often one of the dozens of cases is repeated that a matrix of engines and sizes has."""
        return 2 if self.large and not self.quick else 1


class Place(NamedTuple):
    """Where a measurement may write: an empty folder, which is removed afterwards, and a log, which is kept."""

    folder: Path
    log: Path


@dataclass(frozen=True)
class Case:
    """One thing to measure: `measure` returns JSON-able values, seconds in wall time unless their name says otherwise.

    It raises nothing for what it measures: a platform that fails is a value too.
    """

    name: str
    measure: Callable[[Place], Values]
    rounds: int = 1


class Part(NamedTuple):
    """One part of the benchmark: its cases, and how their measurements become the rows of its table."""

    title: str
    cases: Callable[[Plan], Sequence[Case]]
    rows: Callable[["Measurements"], list[Row]]


class Measurements(dict[str, list[Values]]):
    """The values of each case by its name, one entry per round."""

    def numbers(self, case: str, value: str) -> list[float]:
        """Return a value of all rounds of a case, without those that have none."""
        return [entry[value] for entry in self.get(case, []) if entry.get(value) is not None]

    def median(self, case: str, value: str) -> float | None:
        """Return the median of the rounds, or None if there are none."""
        numbers = self.numbers(case, value)
        return round(median(numbers), 3) if numbers else None

    def spread(self, case: str, value: str, name: str) -> Row:
        """Return the median of the rounds as `name`, and the lowest and highest of them."""
        numbers = self.numbers(case, value)
        low, high = (round(min(numbers), 3), round(max(numbers), 3)) if numbers else (None, None)
        return {name: self.median(case, value), f"{name}_low": low, f"{name}_high": high}


class Session:
    """The measurements of one plan in a folder; each is a line of `measurements.jsonl`."""

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda text: print(text, file=sys.stderr)) -> None:
        self.folder, self.say = folder, say
        self.file = folder / "measurements.jsonl"
        folder.mkdir(parents=True, exist_ok=True)

    def entries(self) -> list[Values]:
        """Return what has been measured; a line that was not written to its end is left out."""
        if not self.file.exists():
            return []
        found = []
        for line in self.file.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def measurements(self, part: str) -> Measurements:
        """Return a part's values by case."""
        found = Measurements()
        for entry in self.entries():
            if entry["part"] == part:
                found.setdefault(entry["case"], []).append(entry["values"])
        return found

    def measure(self, parts: dict[str, Part], plan: Plan) -> None:
        """Make the measurements that are missing, in rounds."""
        for name, part in parts.items():
            cases = part.cases(plan)
            done = {(entry["case"], entry["round"]) for entry in self.entries() if entry["part"] == name}
            planned = [
                (case, turn)
                for turn in range(max((case.rounds for case in cases), default=0))
                for case in cases
                if turn < case.rounds
            ]
            missing = [(case, turn) for case, turn in planned if (case.name, turn) not in done]
            self.say(f"{part.title}: {len(planned)} measurements, {len(planned) - len(missing)} made before")
            for number, (case, turn) in enumerate(missing, 1):
                self._measure(name, case, turn, f"[{number}/{len(missing)}]")

    def _measure(self, part: str, case: Case, turn: int, progress: str) -> None:
        scratch = self.folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        log = self.folder / "logs" / f"{part}-{case.name.replace('/', '-')}-{turn}.log"
        log.parent.mkdir(exist_ok=True)
        load, others = os.getloadavg()[0], _busy_share()
        begin = time.monotonic()
        values = case.measure(Place(scratch, log))
        seconds = time.monotonic() - begin
        others = (others + _busy_share()) / 2
        shutil.rmtree(scratch, ignore_errors=True)
        entry = {
            "part": part,
            "case": case.name,
            "round": turn,
            "values": values,
            "seconds": round(seconds, 2),
            "load": round(load, 2),
            "others": round(others, 3),
            "time": round(time.time()),
        }
        with self.file.open("a+b") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
            cut_off = file.read(1) not in (b"", b"\n")  # a line that was not written to its end
            file.write(b"\n" * cut_off + json.dumps(entry).encode() + b"\n")
        busy = "; the machine was busy with other things" if others > BUSY else ""
        self.say(f"  {progress} {case.name}, round {turn + 1}: {seconds:.1f} s{busy}")


def _busy_share(seconds: float = 0.3) -> float:
    """Return the share of the processors that other programs use, over `seconds` in which this one does nothing.

    A measurement cannot tell its own processes from others: services leave the tree of processes that started them.
    """
    return float(psutil.cpu_percent(seconds)) / 100
