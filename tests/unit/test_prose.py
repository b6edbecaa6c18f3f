"""Whatever the documents name exists: files, folders, links and their anchors, make targets, modules, options.

And they are written in plain English: some phrases that make a reader stumble appear nowhere.

Pages: all Markdown files and the lessons' text. The commands of Markdown files are also run (tests/pages), and the
lessons' cells are executed (tests/notebooks).
"""

import re
import shlex
import subprocess
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from module4.platforms import ROOT
from notebooks.tools.build import SOURCES, lessons, read_source
from tests.pages.reader import blocks

# Phrases that make a reader stumble. A textbook says: is in, is not a, inside, separate, must, those who, emits an
# event, retries, retrains, depends on, changes, the same, continues, without, automatically.
STIFF = re.compile(
    r"\b(?:(?:stands?|stood|l(?:ies|ay)) in|(?<!here )(?:is|are|was|were) no (?!longer|more|less|better|worse)"
    r"|inside of|of (?:its|their) own|shall|whoever|to whom|makes? an event|tri(?:es|ed) again|train(?:s|ed)? again"
    r"|hangs? on|is another one|the same again|go(?:es)? on|for want of|by itself)\b",
    re.IGNORECASE,
)

RunPython = Callable[..., subprocess.CompletedProcess[str]]

FOLDERS = ("shared", "module4", "notebooks", "infra", "tests")
WRITTEN = ("workspace/", "reports/", "infra/.env")  # made by a run, so nothing has to be there
ENDINGS = r"\.(?:py|md|ipynb|yaml|yml|toml|json|lock|sh|png|txt)"


@cache
def pages() -> dict[str, str]:
    """Every page's text by its path; a lesson is its Markdown cells."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True
    )
    texts = {
        name: (ROOT / name).read_text(encoding="utf-8") for name in listed.stdout.split() if (ROOT / name).exists()
    }
    for lesson in lessons():
        cells = read_source(lesson).cells
        texts[f"notebooks/{lesson}.ipynb"] = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return texts


PAGES = sorted(pages())


def commands(text: str) -> list[str]:
    """The lines of code blocks that are commands of this project."""
    lines = [line for block in blocks(text) for line in block.lines]
    return [line for line in lines if re.match(r"(?:\w+=\S+ )*(?:make|\.venv/bin/\w+) ?", line)]


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_it_is_plain_english(page: str) -> None:
    assert STIFF.findall(re.sub(r"`[^`]*`", "", pages()[page])) == []


@pytest.mark.parametrize("folder", ["module4", "notebooks"])  # what students read
def test_code_speaks_plain_english_too(folder: str) -> None:
    files = (ROOT / folder).rglob("*.py")
    found = {str(path.relative_to(ROOT)): STIFF.findall(path.read_text(encoding="utf-8")) for path in files}
    assert {name: phrases for name, phrases in found.items() if phrases} == {}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    lost = []
    for link in re.findall(r"\]\((?!https?:|mailto:)<?([^)\s>]+)", pages()[page]):
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent / target if target else ROOT / page
        name = path.resolve().relative_to(ROOT).as_posix() if path.exists() else ""
        if not path.exists() or (anchor and name in pages() and anchor.lower() not in anchors(pages()[name])):
            lost.append(link)
    # The site's own page is laid out with others around it; Sphinx checks its links.
    assert lost == [] or page.startswith("notebooks/site/")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page: str) -> None:
    text = re.sub(r"^```mermaid.*?^```", "", pages()[page], flags=re.DOTALL | re.MULTILINE)
    named = {
        word.rstrip("/")
        for code in re.findall(r"`([^`\n]+)`", text)
        for word in re.findall(rf"(?<![\w./*$<{{-])((?:{'|'.join(FOLDERS)})/[\w./-]*)", code)
    }
    named |= {
        word
        for line in commands(text)
        for word in re.findall(rf"(?<![\w./*$-])((?:{'|'.join(FOLDERS)})/[\w./-]+{ENDINGS})", line)
    }
    missing = [name for name in named if not name.startswith(WRITTEN) and not (ROOT / name).exists()]
    # A lab's page names files in the lab's folder, and files in its image or a user's cluster are not here.
    assert [name for name in missing if not ((ROOT / page).parent / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_names_what_is_there(page: str, run_python: RunPython) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    problems = []
    for line in commands(pages()[page]):
        words = [word for word in shlex.split(line) if not re.match(r"^[A-Z_0-9]+=", word)]
        program, *rest = words
        if program == "make" and "-f" not in rest and "-C" not in rest:
            problems += [
                f"{line}: no target {word}" for word in rest[:1] if re.match(r"[a-z]", word) and word not in targets
            ]
        elif program == ".venv/bin/python" and rest[:1] == ["-m"]:
            module = rest[1]
            if find_spec(module) is None:
                problems.append(f"{line}: no module {module}")
            elif module in ("module4", "shared"):
                problems += [f"{line}: {text}" for text in unknown_options(module, rest[2:], run_python)]
        elif program.startswith(".venv/bin/") and not (ROOT / program).exists():
            problems.append(f"{line}: {program} is not installed")
    assert not problems, "\n".join(problems)


@cache
def _help(module: str, command: str) -> str:
    import sys

    words = [sys.executable, "-m", module, command, "--help"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env={"COLUMNS": "200"}, check=False).stdout


def unknown_options(module: str, words: list[str], run_python: RunPython) -> list[str]:
    """The options in one of our command lines that the command does not know."""
    command = words[0] if words and not words[0].startswith("-") else ""
    text = _help(module, command) if command else "--help"
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    return (
        [f"no command {command}"]
        if "Usage" not in text and command
        else [f"no option {option}" for option in options if option not in text]
    )


def test_make_targets_in_prose_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, text in pages().items():
        named = set(re.findall(r"`make ([a-z][a-z0-9-]*)", text))
        assert named <= targets, page


def test_the_checks_find_what_is_wrong(monkeypatch: pytest.MonkeyPatch, run_python: RunPython) -> None:
    """These tests can fail."""
    wrong = "See `shared/nothing.py`, [here](nowhere.md#there).\n\n    make nonsense\n"
    wrong += "    .venv/bin/python -m module4 run --nonsense\n"
    wrong += "Whoever tries again lies in wait.\n"
    monkeypatch.setitem(pages(), "wrong.md", wrong)
    assert commands(wrong) == ["make nonsense", ".venv/bin/python -m module4 run --nonsense"]
    for test in (test_every_link_leads_somewhere, test_every_file_that_is_named_exists, test_it_is_plain_english):
        with pytest.raises(AssertionError):
            test("wrong.md")
    with pytest.raises(AssertionError, match=r"(?s)no target nonsense.*no option --nonsense"):
        test_every_command_names_what_is_there("wrong.md", run_python)


def test_all_lessons_have_a_source() -> None:
    assert len(list(SOURCES.glob("*.py"))) == 10
    assert all(Path(name).suffix in (".md", ".ipynb") for name in PAGES)
