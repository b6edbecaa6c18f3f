"""The marks on pages are known and true, and the reader notices what goes wrong."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from module4.platforms import ROOT
from tests.pages.reader import KINDS, NEEDS, SERVERS, Served, Terminal, blocks, type_page
from tests.unit.test_prose import pages

BLOCKS = {name: blocks(text) for name, text in pages().items() if name.endswith(".md")}


def section_of(page: str, title: str) -> str:
    """The visible prose of a section."""
    (text,) = re.findall(rf"^#+ {re.escape(title)}$(.*?)(?=^#|\Z)", pages()[page], re.DOTALL | re.MULTILINE)
    return re.sub(r"<!--.*?-->|^    .*?$", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", [name for name, found in BLOCKS.items() if found])
def test_its_marks_are_known_and_true(page: str) -> None:
    for block in BLOCKS[page]:
        assert [mark for mark in block.marks if not re.fullmatch(KINDS, mark, re.DOTALL)] == []
        skipped = block.mark("skip") or ""
        if other := re.fullmatch(r"as in (\S+)", skipped):
            elsewhere = {
                line for its in BLOCKS[other[1]] if its.is_typed() and its.mark("prints") is None for line in its.lines
            }
            assert set(block.lines) <= elsewhere, f"{other[1]} does not type {block.lines}"
        if target := re.fullmatch(r"is make (\S+)", skipped):
            assert f"make {target[1]}" in {line for its in BLOCKS[page] if its.is_typed() for line in its.lines}
            dry = subprocess.run(["make", "-n", target[1]], cwd=ROOT, capture_output=True, text=True, check=True).stdout
            assert " ".join(block.lines[0].split()) in " ".join(dry.split())
        reason = f"{skipped} {block.mark('fails') or ''}"
        for need, word in NEEDS.items():
            if re.search(need, reason):
                assert re.search(word, section_of(page, block.section)), f"{block}: say so"


@pytest.mark.parametrize("page", BLOCKS)
def test_a_page_has_no_other_comments(page: str) -> None:
    assert re.findall(r"<!--(?! test: ).*", pages()[page]) == []


@pytest.mark.parametrize("page", BLOCKS)
def test_a_command_has_no_remark(page: str) -> None:
    """At the prompt of zsh, which is macOS's shell, `# …` is not a comment but arguments."""
    typed = [line for block in BLOCKS[page] if block.mark("prints") is None for line in block.lines]
    assert [line for line in typed if any(word.startswith("#") for word in shlex.split(line))] == []


def test_a_page_is_read_as_it_is_shown() -> None:
    text = """# One

<!-- test: edit Makefile: a → b -->
<!-- test: fails this
     and that -->

    first \\
        --option

- A list, and in it:

      export TWO='a
          b'

```
fenced
```

```python
no_command()
```

<!-- test: skip forgotten after the next paragraph -->

No block follows.

    last
"""
    assert [(block.marks, block.lines) for block in blocks(text)] == [
        (("edit Makefile: a → b", "fails this and that"), ("first --option",)),
        ((), ("export TWO='a\n    b'",)),
        ((), ("fenced",)),
        ((), ("last",)),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("    false", "ended with 1"),
        ("<!-- test: fails no -->\n\n    true", "ended with 0"),
        ("<!-- test: fails no -->\n\n    echo yes; false", "was not said"),
        ("    echo yes\n\n<!-- test: prints -->\n\n    no", "was not said"),
        ("    : server", "it ended"),
        (
            "    python3 -m http.server $PORT\n\n# Two\n\n    echo >Makefile",
            "changes .*Makefile",
        ),
        ("    echo >$HOME/file", "home folder"),
        ("    sleep 20 >/dev/null 2>&1 &", "sleep 20"),
        ("    trap '' INT TERM; echo on; while :; do sleep 1; done", "neither Ctrl-C"),
        ("<!-- test: edit Makefile: no such text → text -->\n\n    true", "0 times"),
    ],
)
def test_the_reader_notices(text: str, complaint: str, empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty.folder / "wrong.md").write_text(text)
    monkeypatch.setattr("tests.pages.reader.ROOT", empty.folder)
    monkeypatch.setattr("tests.pages.reader.PATIENCE", 1)
    with pytest.raises(AssertionError, match=rf"(?s){complaint}"):
        type_page("wrong.md", empty)


def test_the_reader_understands(empty: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
    export ONE=1

    test $ONE = 1

<!-- test: edit Makefile: all: → none: -->

    grep none: Makefile

Start it:

    echo export TWO=2; echo ready; exec sleep 60

So it is:

    test $TWO$ONE = 21

# Another section

    test -z "$TWO" && echo "all  is" && echo well

<!-- test: prints -->

    All is … ll
"""
    (empty.folder / "right.md").write_text(text)
    monkeypatch.setattr("tests.pages.reader.ROOT", empty.folder)
    type_page("right.md", empty)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A folder with nothing but a Makefile, and servers for these tests."""
    monkeypatch.setitem(SERVERS, r": server|python3 -m http.server \$PORT", Served("/"))
    monkeypatch.setitem(SERVERS, "trap .*", Served(says="on"))
    monkeypatch.setitem(SERVERS, ".*exec sleep 60", Served(says="ready"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "Makefile").write_text("all:\n")
    return Terminal(tmp_path / "empty")
