"""The student's folder: nothing in it is lost, every link works, and what was done is remembered.

Links are followed in each place where people read the pages: on GitHub, on the site, and in the student's JupyterLab.
"""

import json
import os
import posixpath
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from module4.platforms import ROOT
from notebooks.course import progress
from notebooks.tools import lab, publish
from notebooks.tools import progress as table
from notebooks.tools.build import SOLUTIONS, is_edited, lessons, points, sign
from tests.servers import free_port, wait_for

LINK = re.compile(r"\]\((?!https?:|mailto:|#)<?([^)\s#>]+)")


def write_answer(path: Path, answer: str) -> str:
    """Change a lesson as a student does, and return its text."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(answer))
    nbformat.write(notebook, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Update lesson 0, with the given remark."""
    course = tmp_path / "course"
    course.mkdir()
    for lesson in lessons():
        shutil.copy(ROOT / "notebooks" / f"{lesson}.ipynb", course)
    monkeypatch.setattr(lab, "FOLDER", course)

    def write(remark: str) -> str:
        text = (ROOT / "notebooks" / "00_start.ipynb").read_text()
        new = sign(text.replace("# 0 ·", f"# 0 · {remark}", 1))
        assert new != text
        (course / "00_start.ipynb").write_text(new)
        return new

    return write


def test_what_is_missing_comes_and_nothing_else_changes(tmp_path: Path) -> None:
    lab.fill(tmp_path)
    folder = tmp_path / "notebooks"
    assert sorted(path.stem for path in folder.glob("*.ipynb")) == lessons()
    (folder / "02_airflow.ipynb").unlink()
    answer = write_answer(folder / "01_why.ipynb", "mine = 1")
    others = {name: f"{name}, mine" for name in ("01_why-Copy1.ipynb", "notes.md", "00_start.new.txt")}
    for name, text in others.items():
        (folder / name).write_text(text)
    (folder / "03_kubeflow.ipynb").write_text("not even JSON")
    said = lab.fill(tmp_path)
    assert said[0] == "02_airflow.ipynb: new"
    assert (folder / "01_why.ipynb").read_text() == answer
    assert {name: (folder / name).read_text() for name in others} == others
    assert (folder / "03_kubeflow.ipynb").read_text() == "not even JSON"
    assert (folder / "03_kubeflow.new.ipynb").read_text() == (ROOT / "notebooks" / "03_kubeflow.ipynb").read_text()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert lab.fill(tmp_path) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_update_replaces_what_nobody_changed(tmp_path: Path, update: Callable[[str], str]) -> None:
    lab.fill(tmp_path)
    new = update("better")
    assert lab.fill(tmp_path) == ["00_start.ipynb: updated; you had not changed it"]
    assert (tmp_path / "notebooks" / "00_start.ipynb").read_text() == new


def test_an_update_comes_beside_what_a_student_changed(tmp_path: Path, update: Callable[[str], str]) -> None:
    lab.fill(tmp_path)
    folder = tmp_path / "notebooks"
    mine = write_answer(folder / "00_start.ipynb", "mine = 1")
    assert is_edited(mine)
    first = update("better")
    (said,) = lab.fill(tmp_path)
    assert "00_start.new.ipynb" in said
    assert (folder / "00_start.new.ipynb").read_text() == first
    assert lab.fill(tmp_path) == [], "said once"
    second = update("better still")
    lab.fill(tmp_path)
    assert (folder / "00_start.new.ipynb").read_text() == second, "nobody had changed the first update"
    begun = write_answer(folder / "00_start.new.ipynb", "mine = 2")
    assert lab.fill(tmp_path) == []
    third = update("best")
    lab.fill(tmp_path)
    assert (folder / "00_start.ipynb").read_text() == mine
    assert (folder / "00_start.new.ipynb").read_text() == begun
    assert (folder / "00_start.new2.ipynb").read_text() == third
    (folder / "00_start.new2.ipynb").replace(folder / "00_start.ipynb")
    assert lab.fill(tmp_path) == [], "moved to the new version"


def test_a_link_is_repaired_and_a_students_file_in_its_place_is_kept(tmp_path: Path) -> None:
    lab.fill(tmp_path)
    glossary, pictures = tmp_path / "notebooks" / "GLOSSARY.md", tmp_path / "module4" / "images"
    pictures.unlink()
    pictures.symlink_to("/nowhere")
    glossary.unlink()
    glossary.write_text("my words")
    (said,) = lab.fill(tmp_path)
    assert said.startswith("notebooks/GLOSSARY.md: yours")
    assert glossary.read_text() == "my words"
    assert pictures.resolve() == ROOT / "module4" / "images"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab, "STUDENT", tmp_path / "file")
        assert lab.main(["--fill-only"]) == 1
    assert re.fullmatch(r"error: .*file.*: .+PIPELINE_WORKSPACE.+\n", capsys.readouterr().err)


def test_git_does_not_see_the_students_folder() -> None:
    names = ["student/notebooks/02_airflow.ipynb", "student/progress.jsonl"]
    done = subprocess.run(["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == names


# Links ----------------------------------------------------------------------------------------------------------------


def text_of(path: Path) -> str:
    """The prose of a page or lesson."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def links_from(start: list[str], root: Path, exists: Callable[[str], bool]) -> tuple[set[str], set[tuple[str, str]]]:
    """Follow all links from some pages on. Return the places that they lead to, and the links that lead nowhere.

    Places are resolved as a browser does: `..` leaves the folder in the address, also where that folder is a link.
    """
    todo, seen, lost = [*start], {*start}, set[tuple[str, str]]()
    while todo:
        page = todo.pop()
        for link in LINK.findall(text_of(root / page)):
            place = posixpath.normpath(posixpath.join(posixpath.dirname(page), urllib.parse.unquote(link)))
            if not exists(place):
                lost.add((page, link))
            elif place not in seen:
                seen.add(place)
                todo += [place] if place.endswith((".md", ".ipynb")) else []
    return seen, lost


LESSONS = [f"notebooks/{lesson}.ipynb" for lesson in lessons()]


def test_every_link_works_on_github() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    files = {*listed} | {parent.as_posix() for name in listed for parent in Path(name).parents}
    solutions = [f"notebooks/solutions/{lesson}.ipynb" for lesson in lessons()]
    seen, lost = links_from(["README.md", *LESSONS, *solutions], ROOT, files.__contains__)
    assert lost == set()
    assert {"module4/lab1_airflow/training.py", "notebooks/GLOSSARY.md", "module4/INSTRUCTOR.md"} <= seen


def test_every_link_works_on_the_site(tmp_path: Path) -> None:
    publish.lay_out(SOLUTIONS, tmp_path)
    labs = [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("module4/lab*/README.md")]
    seen, lost = links_from([*LESSONS, *labs], tmp_path, lambda place: (tmp_path / place).is_file())
    assert lost == set()
    assert "module4/lab1_airflow/training.py" in seen


class Server:
    """JupyterLab as `make lab` opens it, with nobody's files but its own."""

    def __init__(self, workspace: Path, port: int, base: str) -> None:
        self.workspace, self.port, self.base = workspace, port, base
        (record,) = workspace.glob("jupyter/RUNTIME/jpserver-*.json")
        self.token = json.loads(record.read_text())["token"]

    def ask(self, path: str, token: str | None = None) -> int:
        """Return the status of a page, asked for as JupyterHub's proxy does: for the hub's name."""
        url = f"http://127.0.0.1:{self.port}{self.base}{urllib.parse.quote(path)}"
        headers = {"Host": "hub.example.org", "Authorization": f"token {self.token if token is None else token}"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def listed(self, folder: str) -> set[str]:
        """Return what the file browser shows of a folder."""
        url = f"http://127.0.0.1:{self.port}{self.base}api/contents/{folder}"
        request = urllib.request.Request(url, headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return {entry["name"] for entry in json.load(answer)["content"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`make lab` behind JupyterHub, whose variable says at which path this user's pages are."""
    workspace, port = tmp_path_factory.mktemp("workspace"), free_port()
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "PIPELINE_WORKSPACE": str(workspace), "HOME": str(home)}
    environment |= {"JUPYTERHUB_SERVICE_PREFIX": "/user/me/"}
    log, base = workspace / "lab.log", f"/user/me/proxy/absolute/{port}/"
    command = ["make", "lab", f"PORT={port}", f"VENV={sys.prefix}"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            wait_for(f"http://127.0.0.1:{port}{base}api", process, log)
            assert f"Open https://YOUR-HUB{base}lab" in log.read_text()
            yield Server(workspace, port, base)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=120)
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_every_link_works_in_the_students_jupyterlab(server: Server) -> None:
    student = server.workspace / "student"
    known: dict[str, int] = {}

    def exists(place: str) -> bool:
        known[place] = known.get(place) or server.ask(f"api/contents/{place}")
        return known[place] == 200

    seen, lost = links_from(LESSONS, student, exists)
    assert lost == set()
    assert {"module4/lab2_kubeflow/components.py", "module4/images/airflow-graph.png", *LESSONS} <= seen
    assert server.ask("api/contents/module4/nothing.md") == 404


def test_jupyterlab_shows_the_course_and_not_its_tools(server: Server) -> None:
    assert server.listed("") <= {"notebooks", "module4", "infra", "tests", progress.RECORD}
    assert server.listed("notebooks") == {f"{lesson}.ipynb" for lesson in lessons()} | {"GLOSSARY.md", "course"}
    assert server.listed("module4") == {path.name for path in ROOT.glob("module4/lab*")} | {"images", "CHOOSING.md"}
    assert "notebooks" not in server.listed("tests"), "they hold answers"
    assert "questions" not in server.listed("notebooks/course"), "they hold the answers"


def test_jupyterlab_behind_a_proxy_still_asks_for_the_token(server: Server) -> None:
    assert server.ask("api/contents/notebooks") == 200
    assert server.ask("api/contents/notebooks", token="guessed") == 403


def test_a_base_url_that_is_no_path_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab, "STUDENT", tmp_path)
        assert lab.main(["--base-url", "https://hub/user/me"]) == 1
    assert "BASE_URL: 'https://hub/user/me' is not a path" in capsys.readouterr().err


def test_who_is_root_may_open_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for user, option in ((0, True), (1000, False)):
        monkeypatch.setattr(os, "getuid", lambda user=user: user)
        assert ("--allow-root" in lab.jupyterlab(Path("/student"), 8888)) is option


# Progress -------------------------------------------------------------------------------------------------------------

CELLS = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.io import capture_output

shell = InteractiveShell.instance()
for cell in [
    "from notebooks.checks.why import check",
    "from notebooks.course.quiz import check_answers",
    "my_makefile = 7",
    "check(1)",
    "my_makefile = 'report.txt: metrics.json slices.json\\\\n\\\\tcat metrics.json slices.json > report.txt\\\\n'",
    "check(1)",
    "check(2)",
    "my_makefile = 8",
    "check(1)",
    "check_answers('01_why', {1: 'a', 2: 'c', 3: 'a'})",
    "check_answers('01_why', {1: 'a'})",
]:
    with capture_output():
        assert shell.run_cell(cell).success, cell
"""


def test_what_was_done_is_remembered_and_only_in_the_students_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {**os.environ, "PIPELINE_WORKSPACE": str(tmp_path)}
    student = tmp_path / "student"
    (student / "notebooks").mkdir(parents=True)
    for folder in (tmp_path, student / "notebooks"):
        assert not (student / progress.RECORD).exists()
        subprocess.run([sys.executable, "-c", CELLS], cwd=folder, env=environment, check=True)
    done = progress.read(student)["why"]
    assert (done.exercises, done.questions) == ({1: "right"}, 2), "the best of each"
    with (student / progress.RECORD).open("a") as file:
        file.write('{"lesson": "why", "exerc\n[]\n')
        file.write('{"lesson": "why", "exercise": 2, "verdict": "not right yet"}\n')
    table.main(student)
    (line,) = (line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("01_why"))
    assert line == ["01_why", "1", "right,", "2", "tried", "2", "of", "6", "1", "of", "3"]


def test_progress_without_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table.main(tmp_path) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[1 : 1 + len(lessons())]] == lessons()
    assert "make lab" in said


@pytest.mark.parametrize("lesson", lessons())
def test_every_exercise_says_how_many_points_it_is_worth(lesson: str) -> None:
    text = text_of(ROOT / "notebooks" / f"{lesson}.ipynb")
    shown = [(int(n), int(p)) for n, p in re.findall(r"^## Exercise (\d+): .+\n\n\*(\d) points?\*$", text, re.M)]
    assert shown == [*points(lesson).items()]
    assert all(worth > 0 for _, worth in shown)
