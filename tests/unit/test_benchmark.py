"""The benchmark: it resumes, alternates and says when the machine was busy; its pages say what was measured."""

import ast
import copy
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import pytest

from module4.benchmark import draw, publish, report
from module4.benchmark.capabilities import capabilities
from module4.benchmark.engines.noop import Shape
from module4.benchmark.engines.run import ENGINES, SERVED, run, since_trigger, starts_and_ends
from module4.benchmark.parts import code, days, faults, overhead, rerun, scale, tasks
from module4.benchmark.parts.table import PARTS
from module4.benchmark.reference import beside, reference
from module4.benchmark.session import Case, Measurements, Part, Place, Plan, Session
from module4.measure import Measured
from module4.platforms import PLATFORMS, ROOT
from shared.config import FaultKind
from shared.graph import TRAINING

RunPython = Callable[..., subprocess.CompletedProcess[str]]


# Measuring


def part_of(*cases: Case) -> dict[str, Part]:
    return {"part": Part("A part", lambda plan: cases, lambda measurements: [dict(measurements)])}


def test_rounds_alternate_and_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    made: list[str] = []

    def case(name: str, rounds: int) -> Case:
        return Case(name, lambda place: made.append(name) or {"n": len(made)}, rounds)

    parts = part_of(case("a", 2), case("b", 2), case("once", 1))
    Session(tmp_path).measure(parts, Plan())
    assert made == ["a", "b", "once", "a", "b"]
    with (tmp_path / "measurements.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"part": "part", "case": "b"')  # the line that Ctrl-C or a full disk cut off
    Session(tmp_path).measure(parts, Plan())
    assert len(made) == 5
    assert Session(tmp_path).measurements("part") == {
        "a": [{"n": 1}, {"n": 4}],
        "b": [{"n": 2}, {"n": 5}],
        "once": [{"n": 3}],
    }


def test_a_benchmark_that_was_interrupted_continues_with_what_is_missing(tmp_path: Path) -> None:
    made: list[str] = []

    def interrupt(place: Place) -> dict[str, Any]:
        made.append("b")
        if made.count("b") == 1:
            raise KeyboardInterrupt
        return {}

    parts = part_of(Case("a", lambda place: made.append("a") or {}), Case("b", interrupt))
    with pytest.raises(KeyboardInterrupt):
        Session(tmp_path).measure(parts, Plan())
    Session(tmp_path).measure(parts, Plan())
    assert made == ["a", "b", "b"]


def test_after_half_a_line_the_next_measurement_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "measurements.jsonl").write_text('{"part": "par', encoding="utf-8")
    Session(tmp_path).measure(part_of(Case("a", lambda place: {"n": 1})), Plan())
    assert Session(tmp_path).measurements("part") == {"a": [{"n": 1}]}


def test_each_measurement_has_an_empty_folder(tmp_path: Path) -> None:
    seen: list[list[Path]] = []

    def measure(place: Place) -> dict[str, Any]:
        seen.append(list(place.folder.iterdir()))
        (place.folder / "left").write_text("")
        return {}

    Session(tmp_path).measure(part_of(Case("a", measure, 2)), Plan())
    assert seen == [[], []]


def test_median_and_spread_leave_out_what_failed() -> None:
    measurements = Measurements({"a": [{"s": 3.0}, {"s": None}, {"s": 1.0}, {"s": 2.0}], "none": [{"s": None}]})
    assert measurements.spread("a", "s", "x") == {"x": 2.0, "x_low": 1.0, "x_high": 3.0}
    assert measurements.median("none", "s") is measurements.median("missing", "s") is None


# The parts


def test_the_shape_has_the_names_of_the_declared_graph() -> None:
    shape = Shape.parse("training")
    names = [*shape.before, "hyperparameter_search", *shape.after]
    assert names == list(TRAINING.names)
    assert (shape.tasks, Shape.parse("chain:5").tasks, Shape.parse("parallel:20").tasks) == (13, 5, 22)


@pytest.mark.parametrize("engine", ["python", "make"])
def test_an_engine_runs_every_task_in_order(engine: str, tmp_path: Path) -> None:
    measured = run(ENGINES[engine], "training", tmp_path / "folder", tmp_path / "log", work=0.05)
    assert measured.status == 0, (tmp_path / "log").read_text()
    steps = [event["step"] for event in measured.events if event["state"] == "started"]
    assert steps[:4] == ["load_data", "preprocess", "train", "propose_trials"]
    assert sorted(steps[4:10]) == ["run_trial"] * 6
    assert steps[10:] == ["select_best", "evaluate", "deploy"]
    assert sum(end - start for start, end in starts_and_ends(measured, ["run_trial"])) >= 0.3


@pytest.mark.parametrize("engine", SERVED)
def test_services_run_every_task(engine: str, tmp_path: Path) -> None:
    measured = run(SERVED[engine], "chain:2", tmp_path / "folder", tmp_path / "log")
    assert measured.status == 0, (tmp_path / "log").read_text()
    steps = [event["step"] for event in measured.events if event["state"] == "started"]
    assert steps == ["step_1", "step_2"]
    assert measured.startup_seconds is not None
    assert 0 < measured.startup_seconds < measured.seconds


def test_a_run_of_services_begins_when_it_is_triggered() -> None:
    states = [("triggered", 100.0), ("started", 103.0), ("finished", 104.0), ("started", 105.0), ("finished", 107.5)]
    events = [{"step": "a", "state": state, "time": moment, "seconds": 1.0} for state, moment in states]
    measured = since_trigger(Measured(60.0, 50.0, 1, events))
    assert (measured.seconds, measured.startup_seconds, measured.events) == (7.5, 3.0, events[1:])
    assert since_trigger(Measured(60.0, 50.0, 1, events[1:])).seconds == 60.0
    assert since_trigger(Measured(60.0, 50.0, 1, events[:1])).startup_seconds is None


def test_imports_count_once_per_process_and_trials_overlap() -> None:
    seconds = dict.fromkeys(overhead.STEP_MODULES, 1.0) | {"evaluate": 3.0, "run_trial": 2.0, "deploy": 0.5}
    one = [["load_data", "run_trial", "run_trial", "evaluate", "deploy"]]
    assert overhead.import_seconds(one, seconds, 1) == 3.0
    each = [["load_data"], ["run_trial"], ["run_trial"], ["evaluate"], ["deploy"]]
    assert overhead.import_seconds(each, seconds, 1) == 1 + 2 + 2 + 3 + 0.5
    assert overhead.import_seconds(each, seconds, 2) == 1 + 2 + 3 + 0.5


def overhead_measurements() -> Measurements:
    labs = {name: 20.0 + number for number, name in enumerate(PLATFORMS)}
    lab = {"startup": 1.0, "peak_mib": 300.0, "fingerprint": "f" * 64, "trials_at_once": 1}
    processes = {name: [["load_data", "evaluate"]] for name in PLATFORMS} | {"make": [["load_data"], ["evaluate"]]}
    return Measurements(
        {
            **{f"lab/{name}": [{**lab, "seconds": labs[name], "processes": processes[name]}] for name in PLATFORMS},
            **{f"floor/{name}": [{"cold": 0.1 if name == "python" else 0.5, "warm": 0.1}] for name in PLATFORMS},
            **{f"imports/{step}": [{"seconds": 0.25}] for step in overhead.STEP_MODULES},
        }
    )


def test_overhead_is_floor_imports_and_the_rest() -> None:
    rows = {row["platform"]: row for row in overhead.rows(overhead_measurements())}
    assert list(rows) == list(PLATFORMS)
    make = rows["make"]
    assert (make["over_python"], make["floor"], make["imports"]) == (1.0, 0.4, 0.25)
    assert make["left_over"] == pytest.approx(0.35)
    assert make["ratio"] == round(1 / 0.65, 2)


def test_gaps_are_between_tasks_and_not_below_zero() -> None:
    assert tasks.gaps([(0.0, 1.0), (1.5, 2.0), (1.75, 3.0)]) == [0.5, 0.0]


def test_growing_data_costs_time_per_flight_and_bytes_per_further_flight() -> None:
    def year(flights: int, seconds: float, mib: float) -> dict[str, Any]:
        return {
            "rows": flights,
            "steps": {s: {"seconds": seconds, "peak_mib": mib, "failed": False} for s in scale.STEPS},
        }

    large = {"skipped": "needs about 25 GiB of memory, and 16 are free"}
    found = scale.rows(Measurements({"1": [year(1000, 2.0, 300.0)], "10": [year(10_000, 22.0, 309.0)], "100": [large]}))
    assert [row["years"] for row in found] == [years for years in (1, 10, 100) for _ in scale.STEPS]
    first, ten, hundred = (next(row for row in found if row["years"] == years) for years in (1, 10, 100))
    assert (first["time_per_flight"], first["bytes_per_flight"]) == (1.0, None)
    assert (ten["time_per_flight"], ten["bytes_per_flight"]) == (1.1, 1049)  # 9 MiB for 9000 flights
    assert hundred["remark"].startswith("needs about 25 GiB")


def test_a_step_that_failed_has_no_time() -> None:
    steps = {step: {"seconds": 1.0, "peak_mib": 1.0, "failed": step == "train"} for step in scale.STEPS}
    found = {row["step"]: row for row in scale.rows(Measurements({"1": [{"rows": 10, "steps": steps}]}))}
    assert found["train"]["remark"] == "failed"
    assert "seconds" not in found["train"]
    assert found["preprocess"]["remark"] is None


def test_data_that_does_not_fit_is_not_made(tmp_path: Path) -> None:
    values = scale.measure(100_000, Place(tmp_path, tmp_path / "log"))
    assert values["skipped"].startswith("needs about 25000 GiB of memory")
    assert not list(tmp_path.iterdir())


def test_further_days_are_what_many_take_more_than_one() -> None:
    def one(seconds: float, days: int, predictions: str = "p") -> list[dict[str, Any]]:
        at_once = min(days, 4)
        return [
            {"seconds": seconds, "days": days, "days_at_once": at_once, "failed": False, "predictions": predictions}
        ]

    cases = {"python/1": one(3.0, 1), "python/8": one(17.0, 8), "modal/1": one(9.0, 1, "q"), "modal/8": one(16.0, 8)}
    python, modal = days.rows(Measurements({**cases, "airflow/1": one(5.0, 1)}))  # Airflow is not measured yet
    assert (python["one_day"], python["per_day"], python["year_minutes"]) == (3.0, 2.0, round((3 + 364 * 2) / 60, 1))
    assert (python["same_predictions"], modal["same_predictions"]) == (True, False)
    assert modal["days_at_once"] == 4


def test_days_are_predicted_by_the_steps_themselves(tmp_path: Path) -> None:
    values = days.measure("python", 2, Place(tmp_path, tmp_path / "log"))
    assert (values["failed"], values["days"], values["days_at_once"]) == (False, 2, 1), (tmp_path / "log").read_text()


def test_a_fault_is_recovered_only_with_the_same_model() -> None:
    whole = {
        "recovery": "automatically",
        "seconds": 10.0,
        "started": 8,
        "fingerprint": "f",
        "production_untouched": True,
    }
    again = {**whole, "recovery": "same command again", "seconds": 25.0, "started": 12}
    found = faults.rows(
        Measurements(
            {
                "python/none": [whole],
                "make/none": [whole],
                "python/train:fail": [again],
                "make/train:fail": [{**again, "fingerprint": "g"}],
            }
        )
    )
    assert [(row["same_model"], row["steps_again"], row["seconds_lost"]) for row in found] == [
        (True, 4, 15.0),
        (False, 4, 15.0),
    ]
    picture = draw.faults(found)
    texts = [text.get_text() for text in picture.axes[0].texts]
    assert texts == ["↻\n+15 s", "✗\n+15 s"]  # another model is no recovery


def test_a_row_says_what_was_killed_and_older_measurements_killed_nothing() -> None:
    one = {"recovery": "automatically", "seconds": 1.0, "started": 8, "fingerprint": "f", "production_untouched": True}
    measured = {"python/none": [one], "python/train:kill": [one], "python/orchestrator:kill": [one | {"killed": "it"}]}
    assert [row["killed"] for row in faults.rows(Measurements(measured))] == [None, "it"]


def test_the_matrix_has_every_kind_of_fault_for_every_platform() -> None:
    names = {case.name for case in faults.cases(Plan())}
    kinds = {name.rpartition(":")[2] for name in names if ":" in name}
    assert kinds == {*get_args(FaultKind)}
    for platform in PLATFORMS:
        assert f"{platform}/orchestrator:kill" in names
        assert faults.ORCHESTRATORS[platform].title
    assert len(names) % len(PLATFORMS) == 0
    assert {case.name.partition("/")[2] for case in faults.cases(Plan(quick=True))} == {"none", "run_trial:fail"}
    more = {case.name.partition("/")[2] for case in faults.cases(Plan(large=True)) if case.name not in names}
    assert more == {f"{step}:{kind}" for step in ("preprocess", "run_trial", "deploy") for kind in ("fail", "kill")}


def test_the_oldest_process_with_the_right_words_is_killed_once() -> None:
    makes = [["make", "-f", "-", name] for name in ("first", "second")]  # they wait for their standard input
    with ExitStack() as stack:
        first, second = (stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE)) for command in makes)
        killer = faults.OrchestratorKiller("make")
        killer({"step": "run_trial", "state": "finished"})
        killer({"step": "train", "state": "started"})
        assert (killer.killed, first.poll()) == (False, None)
        for _ in range(2):
            killer({"step": "run_trial", "state": "started"})
        assert killer.killed
        assert first.wait(10) == -signal.SIGKILL
        assert second.poll() is None
        second.kill()


def test_without_the_right_process_nothing_is_killed() -> None:
    killer = faults.OrchestratorKiller("modal")
    with subprocess.Popen([sys.executable, "-c", "input()", "-m", "infra.modal_local"], stdin=subprocess.PIPE) as other:
        killer({"step": "run_trial", "state": "started"})
        assert (killer.killed, other.poll()) == (False, None)
        other.kill()


def test_lines_of_code_are_neither_blank_nor_comments_nor_docstrings(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        '"""Doc."""\n\n# comment\ndef f(\n    x,\n):\n    """Doc\n    string."""\n    return """a\nb"""  # two lines\n'
    )
    assert len(code.code_lines(path)) == 5


@pytest.mark.parametrize("platform", code.PURPOSES)
def test_every_file_that_is_counted_exists(platform: str, tmp_path: Path) -> None:
    counted = code.measure(platform, Place(tmp_path, tmp_path))
    assert counted["training"] > 10
    assert counted["other"] >= 0
    assert counted["tests"] > 50


def test_rerun_copies_all_that_a_run_needs() -> None:
    assert all((ROOT / name).is_dir() for name in rerun.SOURCES)


def test_a_part_that_does_not_exist_is_named(run_python: RunPython) -> None:
    finished = run_python("-m", "module4.benchmark", "run", "--only", "overhead,speed")
    assert finished.returncode == 1
    assert "only: no part is called speed; choose from code, changes, data" in finished.stderr
    assert "Traceback" not in finished.stderr


# The pages


def test_the_pages_are_made_from_the_reference() -> None:
    data = reference()
    assert publish.CHOOSING.read_text(encoding="utf-8") == publish.choosing(data), "type: make benchmark-reference"
    text = publish.README.read_text(encoding="utf-8")
    assert publish.readme(text, data) == text
    for name in draw.figures(data["parts"]):
        assert (publish.IMAGES / f"benchmark-{name}.png").exists()


def measured_report() -> report.Report:
    data = copy.deepcopy(reference())
    data["parts"]["overhead"] = overhead.rows(overhead_measurements())
    return data


def test_own_numbers_stand_beside_the_references() -> None:
    measured = {row["platform"]: row["over_python"] for row in reference()["parts"]["overhead"]}
    both = beside({"python": 0.0, "make": 12.5, "dagster": None, "mine": 3.0})
    assert both == [{"platform": "Make", "here": 12.5, "reference": measured["make"]}]
    assert f"| Make | 1.00 | {report.show(measured['make'])} |" in report.to_markdown(measured_report())


def test_a_report_fills_the_readme_and_names_a_busy_machine() -> None:
    data = measured_report()
    publish.check_report(data)
    data["load"].update(busy=True, others_median=0.5)
    filled = publish.readme(publish.README.read_text(encoding="utf-8"), data)
    assert (
        "| Make | a process per step | ok | ffffffffffff | 21.0 s | +1.0 s (1.1×) | after 1.0 s | 300 MiB |" in filled
    )
    assert "The machine was busy:** other programs used 50% of its processors" in filled
    assert publish.readme(filled, data) == filled
    assert (
        "Make takes 1.0 s more than plain Python. The largest part is the platform itself: 0.4 s."
        in publish.choosing(data)
    )
    data["load"]["busy"] = False
    assert "busy" not in publish.overview(data)


def test_a_report_of_different_work_is_not_published() -> None:
    data = measured_report()
    data["parts"]["overhead"][2]["fingerprints"] = ["e" * 64]
    with pytest.raises(ValueError, match="overhead: the fingerprints differ"):
        publish.publish(data)
    del data["parts"]["overhead"][2]
    with pytest.raises(ValueError, match="overhead: a platform is missing"):
        publish.publish(data)


def test_a_report_that_cannot_be_used_is_named(tmp_path: Path, run_python: RunPython) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"parts": {"overhead": [{"platform": "make"}]}}', encoding="utf-8")
    finished = run_python("-m", "module4.benchmark", "publish", "--report", str(path))
    assert finished.returncode == 1
    assert f"{path} cannot be used (overhead: a platform is missing)" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_every_part_has_columns_on_the_page() -> None:
    assert {*publish.COLUMNS} == {*PARTS}


@pytest.mark.parametrize("platform", capabilities())
def test_what_a_platform_can_do_is_shown_by_a_test(platform: str) -> None:
    assert platform in PLATFORMS
    for need, shown in capabilities()[platform].items():
        path, _, name = shown.partition("::")
        functions = [
            node.name
            for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef)
        ]
        assert name in functions, f"{platform}, {need}: {shown}"
