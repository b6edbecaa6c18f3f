"""The words of a web page that our pages name: they are in italics, as in *Lineage*."""

import re

from module4.platforms import ROOT


def named_words(section: str, page: str = "module4/INSTRUCTOR.md") -> set[str]:
    """Return what a section's table has in italics."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^#+ {re.escape(section)}$(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    rows = [line for line in found.splitlines() if line.startswith("|")]
    return {word for row in rows for word in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", row)}
