"""The setup: one list of versions, and a clear message if Python is not suitable. Installs nothing."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from infra.doctor import moved_from, repair_moved
from module4.platforms import PLATFORMS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())


def lock_entries() -> list[tuple[Requirement, list[str]]]:
    """Each requirement of the lock with its hashes; continuation lines joined, comments dropped."""
    text = re.sub(r"^\s*#.*\n", "", LOCK, flags=re.MULTILINE).replace("\\\n", " ")
    entries = []
    for line in text.splitlines():
        requirement, *hashes = line.split("--hash=")
        entries.append((Requirement(requirement), [digest.strip() for digest in hashes]))
    return entries


def test_every_locked_package_has_one_exact_version_and_hashes() -> None:
    for requirement, hashes in lock_entries():
        assert re.fullmatch(r"==[\w.+!-]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement


def test_lock_has_no_addresses_and_no_options() -> None:
    assert "://" not in LOCK
    assert not [line for line in LOCK.splitlines() if line.startswith("-")]


@pytest.mark.parametrize("python", ["3.11.9", "3.12.1", "3.13.0"])
def test_lock_satisfies_pyproject_on_every_accepted_python(python: str) -> None:
    environment = {"python_version": python.rpartition(".")[0], "python_full_version": python}
    locked = {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement, _ in lock_entries()
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    extras = PROJECT["optional-dependencies"].values()
    for dependency in map(Requirement, [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]):
        assert locked.get(canonicalize_name(dependency.name), "absent") in dependency.specifier, dependency


def test_conda_installs_exactly_the_lock() -> None:
    pip_part = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    assert pip_part == [{"pip": ["-r requirements.lock"]}]


def test_conda_brings_an_accepted_python() -> None:
    (python,) = [entry for entry in ENVIRONMENT["dependencies"] if str(entry).startswith("python=")]
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])


def fake_python(folder: Path, name: str, version: str | None) -> None:
    """A `python` that claims a version; without one it exists and fails, as a pyenv shim may."""
    claim = f"import sys; sys.version_info = ({(version or '0').replace('.', ', ')})"
    body = f'exec {sys.executable} -c "{claim}; $2"' if version else "exit 127"
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def run_script(name: str, folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a script of infra/ on a PATH that holds nothing but `folder` and what the scripts call."""
    for tool in ("cat", "dirname", "sed", "sh"):
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    command = ["/bin/sh", str(ROOT / "infra" / name), *options]
    return subprocess.run(command, env={"PATH": str(folder), **variables}, capture_output=True, text=True)


def find_python(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_script("find-python.sh", folder, *options, **variables)


def test_first_python_that_runs_and_fits_is_taken(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3.12", None)
    fake_python(tmp_path, "python3.13", "3.13.0")
    fake_python(tmp_path, "python3", "3.11.0")
    assert find_python(tmp_path).stdout.strip() == str(tmp_path / "python3.13")


def test_unsuitable_pythons_are_named_with_the_remedy(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "3.10.4")
    fake_python(tmp_path, "python", "3.14.0")
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "needs Python 3.11 to 3.13. Found: python3 (3.10.4) python (3.14.0)" in done.stderr
    assert "make setup PYTHON=" in done.stderr


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "Found: none that runs" in done.stderr


def test_the_reader_may_choose_even_a_path_with_spaces(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3.12", "3.12.0")
    fake_python(tmp_path, "my python", "3.11.0")
    chosen = str(tmp_path / "my python")
    assert find_python(tmp_path, PYTHON=chosen).stdout.strip() == chosen


def test_the_doctor_runs_on_an_unsuitable_python_but_not_on_an_ancient_one(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "3.6.15")
    fake_python(tmp_path, "python", "3.8.18")
    assert find_python(tmp_path, "--any").stdout.strip() == str(tmp_path / "python")


def test_python_without_its_venv_module_is_said_with_the_remedy(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "3.11.0")
    incomplete = (tmp_path / "python3").read_text().replace("exec", 'case "$2" in *ensurepip*) exit 1 ;; esac; exec')
    (tmp_path / "python3").write_text(incomplete)
    done = run_script("setup.sh", tmp_path, VENV=str(tmp_path / "new"))
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (tmp_path / "new").exists()


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True)


def test_broken_environment_is_refused_not_removed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to("/nonexistent/python")
    done = make("setup", f"VENV={tmp_path}")
    assert done.returncode != 0
    assert "does not run or has an unsupported version" in done.stderr
    assert (tmp_path / "bin/python").is_symlink()


def test_make_alone_lists_every_target_in_a_group() -> None:
    said = make().stdout
    listed = re.findall(r"^  make ([a-z-]+) +\S", said, re.MULTILINE)
    explained = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(explained)
    groups = [line for line in said.splitlines() if not line.startswith(" ")]
    assert groups == ["Start here", "Labs", "Web pages", "Containers", "Course", "For maintainers"]


def test_clean_leaves_everything_but_what_the_pipelines_wrote() -> None:
    assert make("-n", "clean").stdout.splitlines()[0] == "rm -rf workspace reports"


def test_clean_removes_only_ours_from_a_moved_workspace(tmp_path: Path) -> None:
    """The folders that the code and the pages write to are known to the Makefile."""
    checkout, moved = tmp_path / "checkout", tmp_path / "it's é"
    checkout.mkdir()
    shutil.copy(ROOT / "Makefile", checkout)
    written = re.findall(r'WORKSPACE(?: / |, )"([\w-]+)"', "".join(p.read_text() for p in ROOT.glob("module4/**/*.py")))
    for name in {*written, *PLATFORMS, "reports", "wandb", "jupyter", "notebooks", "thesis"}:
        (moved / name).mkdir(parents=True)
    environment = {**os.environ, "PIPELINE_WORKSPACE": "~/it's é", "HOME": str(tmp_path)}
    subprocess.run(["make", "clean"], cwd=checkout, env=environment, check=True)
    assert [path.name for path in moved.iterdir()] == ["thesis"]
    (tmp_path / "reports").mkdir()
    for name in ("~/", str(tmp_path), f"{tmp_path}/"):
        refused = subprocess.run(
            ["make", "clean"], cwd=checkout, env={**environment, "PIPELINE_WORKSPACE": name}, capture_output=True
        )
        assert refused.returncode == 2
        assert b"clean: PIPELINE_WORKSPACE is" in refused.stderr
    assert (tmp_path / "reports").exists()


# A switch, a target that knows it, and what it adds to the command.
SWITCHES = [
    ("UPGRADE", "lock", "--upgrade"),
    ("MEASURE", "lessons", "--measure"),
    ("PASSWORD", "ui-airflow", "--password"),
    ("READ_ONLY", "ui-dagster", "--read-only"),
]
COSTLY = [*SWITCHES, ("CLOUD", "lab-modal", "--cloud"), ("GPU", "lab-modal", "--gpu"), ("BREAK", "run", "--break")]


@pytest.mark.parametrize(("name", "target", "option"), SWITCHES)
@pytest.mark.parametrize("value", ["1", "0", "", "yes", "11"])
def test_a_switch_is_on_when_it_is_1(name: str, target: str, option: str, value: str) -> None:
    assert (option in make("-n", target, f"{name}={value}").stdout) is (value == "1")


@pytest.mark.parametrize(("name", "target", "option"), COSTLY)
def test_an_exported_variable_switches_nothing_on(name: str, target: str, option: str) -> None:
    said = subprocess.run(
        ["make", "-n", target], cwd=ROOT, env={**os.environ, name: "1"}, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert option not in said.stdout


def test_an_environment_and_a_checkout_may_have_spaces_and_apostrophes(tmp_path: Path) -> None:
    checkout = tmp_path / "Ann's Übung one"
    (checkout / "my env" / "bin").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    python = checkout / "my env/bin/python"
    python.write_text('#!/bin/sh\nprintf "[%s]" "$@"\n')
    python.chmod(0o755)
    (checkout / "my env/.installed").touch()
    done = make("lab", "run", "BREAK=train:fail", "VENV=my env", folder=checkout)
    assert done.returncode == 0, done.stderr
    assert "[my env/bin/python][-m][notebooks.tools.lab]" in done.stdout
    assert "[--break][train:fail]" in done.stdout


@pytest.mark.parametrize("name", ["renamed", "with a space", "Ann's"])
def test_a_renamed_environment_is_noticed_and_repaired(name: str, tmp_path: Path) -> None:
    made, venv = tmp_path / "first/.venv", tmp_path / name / ".venv"
    (made / "bin").mkdir(parents=True)
    (made / "bin/python").symlink_to(sys.executable)
    (made / "bin/airflow").write_text(f"#!{made}/bin/python\nimport sys\nprint('works', sys.argv[1])\n")
    (made / "bin/airflow").chmod(0o755)
    packages = made / "lib/python3.12/site-packages"
    packages.mkdir(parents=True)
    (packages / "__editable___x_finder.py").write_text(f"MAPPING = {{'shared': '{tmp_path}/first/shared'}}\n")
    assert moved_from(made) is None
    (tmp_path / "first").rename(tmp_path / name)
    assert moved_from(venv) == str(made)
    assert repair_moved(venv, tmp_path / name)
    assert subprocess.check_output([venv / "bin/airflow", "again"], text=True) == "works again\n"
    finder = next(venv.rglob("__editable__*")).read_text()
    assert ast.literal_eval(finder.removeprefix("MAPPING = ")) == {"shared": f"{tmp_path}/{name}/shared"}
    assert moved_from(venv) is None
    assert not repair_moved(venv, tmp_path / name)


def test_checkouts_have_unix_line_ends_everywhere() -> None:
    listed = subprocess.run(["git", "ls-files", "--eol"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wrong = [line for line in listed.splitlines() if "i/-text" not in line and "eol=lf" not in line]
    assert wrong == []
    assert "i/crlf" not in listed


def test_environment_scripts_are_valid_posix_shell() -> None:
    for script in sorted(ROOT.glob("infra/*.sh")):
        subprocess.run(["/bin/sh", "-n", script], check=True)
