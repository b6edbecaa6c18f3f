"""Types the commands of a page like a reader: as printed, one after the other, in a copy of the repository.

A code block without a language is a block of commands. If a block is special, a comment before it says how, such as
`<!-- test: skip it takes an hour -->`. There are four kinds of comments:

    fails TEXT           The command must fail and print TEXT.
    prints               The block holds no commands, but what the last one must have printed. `…` matches anything.
    edit FILE: OLD → NEW The reader changes a file before the block and changes it back afterwards.
    skip WHY             Not typed. `as in PAGE`: another page types the same lines. `is make TARGET`: this page types
                         that target, which runs this line. `needs WHAT`: an account, a cluster or Docker.

If a command fails because there is no account, cluster or Docker, its section must say so. Commands that start a server
are listed in SERVERS. The server runs while the following commands are typed; then Ctrl-C must end it.
"""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

from module4.platforms import ROOT
from tests.processes import in_group, processes_of, running_after
from tests.servers import answers, free_port

SECONDS, PATIENCE = 900, 40  # for one command; for a server to end. The machine may be busy
SHELLS = ("", "sh", "bash", "shell", "console")
MARK = re.compile(r"<!-- test: (.+?) -->", re.DOTALL)
KINDS = r"fails .+|prints|edit \S+: .+ → .+|skip .+"
# The word that a section must contain, by the reason why a command is not typed, or by how it fails.
NEEDS = {
    "needs an account|Token missing|finds no token": "account",
    "needs a cluster|nobody": "cluster|server",
    "needs Docker|docker": "Docker",
}


class Served(NamedTuple):
    """How to tell that a server is ready (a path that answers, or a text that it prints), and how long it is needed."""

    path: str = ""
    says: str = ""
    to_the_end: bool = False  # of the page; otherwise of its section


SERVERS = {
    "make lab": Served("/api"),
    "make ui-airflow": Served("/dags/training", to_the_end=True),
    "make ui-dagster": Served("/server_info"),
    r"\S+ -m infra\.modal_local serve\b.*": Served(says="# ready"),  # its `export` lines are pasted
}
CACHES = {".cache", ".matplotlib", "Library"}  # all that may be written in a home folder: Matplotlib's list of fonts
# Variables that the person or test running this may have, but no reader.
HIDDEN = (
    "STEP_TIMEOUT",
    "MODAL_",
    "WANDB_",
    "PYTEST_",
    "MAKE",
    "MFLAGS",
    "AIRFLOW",
    "DAGSTER",
    "PIPELINE_",
    "KFP_",
    "DOCKER_",
    "PORT",
)


class Block(NamedTuple):
    """Lines of a page that belong together, with the marks before them and the title of their section."""

    section: str
    marks: tuple[str, ...]
    lines: tuple[str, ...]

    def mark(self, name: str) -> str | None:
        """Return what follows a mark's name, or None if there is no such mark."""
        found = [mark.removeprefix(name).lstrip(": ") for mark in self.marks if mark.startswith(name)]
        return found[0] if found else None

    def is_typed(self) -> bool:
        """Return whether the reader types this block here."""
        return self.mark("skip") is None

    def server(self) -> Served | None:
        """Return how to wait for the server that this block starts, if it starts one."""
        found = [served for command, served in SERVERS.items() if re.fullmatch(command, "\n".join(self.lines))]
        return found[0] if found else None


def blocks(text: str) -> list[Block]:
    """Read the blocks without a language from a page."""
    found: list[Block] = []
    section, marks = "", list[str]()
    tokens = MarkdownIt().parse(text)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            section, marks = tokens[number + 1].content, []
        elif token.type == "html_block":
            marks += [" ".join(mark.split()) for mark in MARK.findall(token.content)]
        elif token.type == "code_block" or (token.type == "fence" and token.info in SHELLS):
            found.append(
                Block(
                    section,
                    tuple(marks),
                    tuple(token.content.splitlines() if "prints" in marks else _lines(token.content)),
                )
            )
            marks = []
        elif token.type == "paragraph_open":
            marks = []
    return found


def _lines(text: str) -> list[str]:
    """Return a block's commands: one may continue on the next line, after a backslash or within quotes."""
    found, begun = list[str](), ""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        begun += line if begun else line.strip()
        try:
            shlex.split(begun)
        except ValueError:
            begun += "\n"
            continue
        found, begun = [*found, begun], ""
    return [line for line in [*found, begun] if line]


class Terminal:
    """A shell in a copy of the repository; it keeps its variables from one command to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = folder.parent / "variables"
        self.variables.write_text("")
        self.said = ""
        self.home = folder.parent / "home"
        self.home.mkdir()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        self.environment |= {
            "OMP_NUM_THREADS": "1",
            "HOME": str(self.home),
            "PYTHONPATH": str(folder),
            "BROWSER": "true",
        }
        self.environment |= {"DOCKER_HOST": f"unix://{self.home}/docker.sock"}  # also where Docker is: tests have none

    def words(self, line: str, after: str = "") -> list[str]:
        return ["sh", "-c", f". '{self.variables}'\n{line}\n{after}"]

    def type(self, line: str) -> int:
        """Type a line, and return its exit code."""
        keep = f"code=$?; export -p > '{self.variables}.new'; exit $code"
        done = subprocess.run(
            self.words(line, keep),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        Path(f"{self.variables}.new").replace(self.variables)
        self.said = done.stdout
        return done.returncode

    @contextmanager
    def serve(self, line: str, served: Served) -> Iterator[None]:
        """Start a server, wait until it is ready, and stop it as Ctrl-C does; then forget what was pasted from it."""
        port = str(free_port())
        log, before = self.folder.parent / "server.log", self.variables.read_text()
        with log.open("w") as output:
            process = subprocess.Popen(
                self.words(line),
                cwd=self.folder,
                env={**self.environment, "PORT": port, "JUPYTER_PORT": port},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            url = f"http://127.0.0.1:{port}{served.path}"
            _wait(lambda: served.says in log.read_text() if served.says else answers(url), process, log)
            pasted = re.findall(r"^export .+$", log.read_text(), re.MULTILINE)
            self.variables.write_text("\n".join([before, *pasted, ""]))
            yield
        finally:
            _stop(process)
            self.variables.write_text(before)


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + SECONDS
    while not ready():
        assert process.poll() is None, f"it ended:\n{log.read_text(encoding='utf-8')[-3000:]}"
        assert time.monotonic() < give_up, f"it is not ready:\n{log.read_text(encoding='utf-8')[-3000:]}"
        time.sleep(0.5)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server and its children with Ctrl-C, or with SIGTERM if this was started where Ctrl-C is ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            break
        if not running_after(in_group(process.pid), PATIENCE):  # its children may take a few seconds longer
            break
    assert number != signal.SIGKILL, f"neither Ctrl-C nor SIGTERM ends it: {process.args}"


def type_page(page: str, terminal: Terminal, section: str | None = None) -> None:
    """Type a page's commands, or those of one section. Only what runs write may change, and no process may be left."""
    before = _files(terminal.folder)
    with ExitStack() as to_the_end, ExitStack() as section_ends:
        title = ""
        for block in blocks((ROOT / page).read_text(encoding="utf-8")):
            if section in (None, block.section):
                if block.section != title:
                    section_ends.close()
                title = block.section
                served = block.server()
                _type_block(block, terminal, to_the_end if served and served.to_the_end else section_ends)
    give_up = time.monotonic() + 5  # one that is ending may take a moment
    while (left := processes_of(terminal.folder.parent)) and time.monotonic() < give_up:
        time.sleep(0.2)
    assert not left, f"{page} leaves {left}"
    changed = {name for name, _ in _files(terminal.folder) ^ before}
    assert not changed, f"{page} changes {sorted(changed)}"
    home = {path.relative_to(terminal.home).parts[0] for path in terminal.home.rglob("*") if path.is_file()}
    assert home <= CACHES, f"{page} writes into the home folder: {home}"


def _type_block(block: Block, terminal: Terminal, servers: ExitStack) -> None:
    if block.mark("prints") is not None:
        _expect(" ".join(block.lines), terminal.said)
        return
    if not block.is_typed():
        return
    if served := block.server():
        servers.enter_context(terminal.serve(block.lines[0], served))
        return
    failure = block.mark("fails")
    with _edited(terminal.folder, block.mark("edit")):
        for line in block.lines:
            if failure:  # there is no such server, whatever else listens on this machine
                line = re.sub(r"localhost:\d+", f"localhost:{free_port()}", line)
            start = _work()
            code = terminal.type(line)
            print(f"{_work() - start:6.1f} s  {line}")
            assert (code != 0) is bool(failure), f"{line}\nended with {code}:\n{terminal.said[-3000:]}"
            _expect(failure or "", terminal.said)


def _work() -> float:
    """Return the CPU seconds that commands have taken; on a busy machine, wall time says little."""
    return os.times().children_user + os.times().children_system


def _expect(text: str, said: str) -> None:
    """Look for a text in what was printed, ignoring line breaks and frames."""
    plain = " ".join(re.sub(r"\x1b\[[0-9;]*m|[│╭╮╰╯─]", " ", said).split())
    pattern = r".*".join(re.escape(part.strip()) for part in " ".join(text.split()).split("…"))
    assert re.search(pattern, plain, re.IGNORECASE), f"{text}\nwas not said:\n{said[-3000:]}"


@contextmanager
def _edited(folder: Path, edit: str | None) -> Iterator[None]:
    if edit is None:
        yield
        return
    name, _, change = edit.partition(": ")
    old, _, new = change.partition(" → ")
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
    try:
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
        yield
    finally:
        (folder / name).write_text(text, encoding="utf-8")


def _files(folder: Path) -> set[tuple[str, bytes]]:
    """Read all files of the checkout except what runs may write, caches, and the environment."""
    top = [path for path in folder.iterdir() if path.name not in ("workspace", "reports", "student", ".venv")]
    paths = [file for path in top for file in ([path] if path.is_file() else path.rglob("*"))]
    return {(str(file), file.read_bytes()) for file in paths if file.is_file() and "__pycache__" not in file.parts}
