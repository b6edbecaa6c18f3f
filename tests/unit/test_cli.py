"""The steps as commands: their help, their JSON, and errors without a traceback."""

import json
import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from shared.__main__ import app, main
from shared.config import PipelineConfig, parse, preset
from shared.fingerprint import table_digest
from shared.graph import BREAKABLE
from shared.outputs import check_output

RunPython = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = {*BREAKABLE, "config"}
ARGUMENTS = {
    "load_data": ["CONFIG", "OUTPUT"],
    "preprocess": ["CONFIG", "FLIGHTS", "OUTPUT"],
    "train": ["CONFIG", "FEATURES", "OUTPUT"],
    "propose_trials": ["CONFIG"],
    "run_trial": ["CONFIG", "FEATURES", "TRIAL"],
    "select_best": ["CONFIG", "FEATURES", "RESULTS", "OUTPUT"],
    "evaluate": ["CONFIG", "FEATURES", "BASELINE", "CANDIDATE", "REGISTRY", "OUTPUT"],
    "deploy": ["CONFIG", "EVALUATION", "REGISTRY", "OUTPUT", "--platform", "--run-id"],
    "load_batch": ["CONFIG", "DAY", "OUTPUT"],
    "load_model": ["CONFIG", "REGISTRY", "OUTPUT"],
    "predict": ["CONFIG", "BATCH", "MODEL", "OUTPUT"],
    "save_predictions": ["CONFIG", "PREDICTIONS", "PARTITIONS"],
    "measure_drift": ["CONFIG", "REGISTRY", "DAY", "OUTPUT"],
    "decide_retraining": ["CONFIG", "DRIFT", "OUTPUT"],
    "config": ["PRESET"],
}


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_each_node_of_the_graphs_is_a_command() -> None:
    assert {command.name for command in app.registered_commands} == COMMANDS == {*ARGUMENTS}


def test_the_help_lists_every_command(run_python: RunPython) -> None:
    done = run_python("-m", "shared", "--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert f" {name} " in done.stdout


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_commands_help_names_its_arguments(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    usage = shown.output.splitlines()[1]
    assert f"python -m shared {name}" in usage or f" {name} " in usage
    for argument in ARGUMENTS[name]:
        assert argument.lower() in shown.output.lower()


@pytest.mark.parametrize("arguments", [["sing"], ["train"], ["train", "--loudly"]])
def test_a_wrong_call_ends_with_status_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize("name", ["tiny", "lab", "full"])
def test_a_preset_is_printed_as_the_configuration(name: str) -> None:
    assert parse(CliRunner().invoke(app, ["config", name]).stdout.strip()) == preset(name)


def test_trials_are_printed_one_per_line() -> None:
    printed = CliRunner().invoke(app, ["propose_trials", "tiny"]).stdout.splitlines()
    assert [json.loads(trial)["number"] for trial in printed] == [0, 1]


@pytest.mark.parametrize(("arguments", "kind"), [(["propose_trials", "tiny"], list), (["config", "tiny"], None)])
def test_a_result_is_written_whole_if_asked(arguments: list[str], kind: type | None, tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["--result", f"{tmp_path}/result.json", *arguments]).stdout.splitlines()
    if kind is None:  # the configuration is not the result of a step
        assert not list(tmp_path.iterdir())
    else:
        assert json.loads((tmp_path / "result.json").read_text()) == printed


def test_a_result_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["--result", str(tmp_path), "propose_trials", "tiny"]).exit_code == 2


@pytest.mark.parametrize("file", ["{}/gone/x", "/dev/null/x", "/proc/x", "{}/" + 300 * "x"])
def test_a_result_that_cannot_be_made_is_refused_before_the_work(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = file.format(tmp_path)
    line = ended(["--result", place, "load_data", "tiny", f"{tmp_path}/out"], monkeypatch, capsys)
    assert line.startswith(f"error: result: {place} cannot be written (")
    assert not list(tmp_path.iterdir())


def test_a_check_leaves_a_file_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("content")
    check_output(tmp_path / "there", "result")
    check_output(tmp_path / "new", "result")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there").read_text() == "content"
    os.mkfifo(tmp_path / "pipe")
    check_output(tmp_path / "pipe", "result")  # does not wait for a reader


def test_two_commands_make_the_features(
    tiny: PipelineConfig, tiny_flights: pd.DataFrame, tiny_features: pd.DataFrame, tmp_path: Path, run_python: RunPython
) -> None:
    flights = run_python("-m", "shared", "load_data", tiny.to_json(), f"{tmp_path}/flights")
    assert json.loads(flights.stdout) == {
        "uri": f"{tmp_path}/flights",
        "rows": len(tiny_flights),
        "columns": len(tiny_flights.columns),
        "digest": table_digest(tiny_flights),
    }
    features = run_python("-m", "shared", "preprocess", "tiny", f"{tmp_path}/flights", f"{tmp_path}/features")
    assert json.loads(features.stdout)["digest"] == table_digest(tiny_features)
    assert features.stdout.count("\n") == 1
    assert "preprocess finished after" in features.stderr  # the log stays apart from the result


# Errors


def ended(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command in this process, expect status 1, and return the last line of standard error."""
    monkeypatch.setattr("sys.argv", ["shared", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    captured = capsys.readouterr()
    assert caught.value.code == 1
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["load_data", "{", "out"], "error: The configuration cannot be used: configuration: Invalid JSON"),
        (["config", "huge"], "error: preset: no preset is called 'huge'; choose one of tiny, lab, full."),
        (["preprocess", "tiny", "gone", "out"], "error: gone: there is no complete artifact. Run the step that makes"),
        (["deploy", "tiny", "gone", "registry", "out"], "error: gone: there is no complete artifact."),
        (["run_trial", "tiny", "gone", "{}"], "error: gone: there is no complete artifact."),
    ],
)
def test_an_error_is_one_line_and_status_1(
    arguments: list[str],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(arguments, monkeypatch, capsys).startswith(text)
    assert not list(tmp_path.iterdir())


def test_a_missing_source_is_one_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = preset("tiny", data_folder=f"{tmp_path}/nowhere").to_json()
    line = ended(["load_data", config, f"{tmp_path}/out"], monkeypatch, capsys)
    assert line.startswith(f"error: {tmp_path}/nowhere/")
    assert line.endswith("Put the file there, or correct data_folder.")


@pytest.mark.parametrize(
    "arguments", [["run_trial", "tiny", "{features}", "{}"], ["select_best", "tiny", "{features}", "no", "json", "out"]]
)
def test_a_trial_that_is_no_json_is_one_line_and_status_1(
    arguments: list[str],
    tiny_features: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from shared import artifacts

    artifacts.save(tiny_features.head(10), f"{tmp_path}/features")
    filled = [text.replace("{features}", f"{tmp_path}/features") for text in arguments]
    assert ended(filled, monkeypatch, capsys).startswith("error: ")


def small_files_only() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_full_disk_is_one_line_and_status_1(tmp_path: Path, run_python: RunPython) -> None:
    done = run_python("-m", "shared", "load_data", "tiny", f"{tmp_path}/flights", preexec_fn=small_files_only)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: {tmp_path}/flights: cannot be written (")
    assert "File too large" in last
    assert last.endswith("Raise the limit of a file's size (ulimit -f), or choose another store.")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
