"""The report: what people read."""

import html
import re
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from shared.evaluation import Evaluation
from shared.gate import Check
from shared.report import confusion, evaluation_figure, evaluation_html, evaluation_markdown, roc_points, save_figure

METRICS = {"roc_auc": 0.75, "average_precision": 0.5, "calibration_error": 0.01, "late_share": 0.25, "rows": 1107.0}
EVALUATION = Evaluation(
    winner="candidate",
    model=None,  # the report shows no model
    metrics={"baseline": {**METRICS, "roc_auc": 0.71234}, "candidate": METRICS},
    champion=None,
    calibration=pd.DataFrame({"bin": [1, 6], "rows": [3, 1], "predicted": [0.1, 0.6], "observed": [0.0, 1.0]}),
    slices=pd.DataFrame(
        {
            "slice": ["origin", "carrier", "carrier"],
            "value": ["JFK", "AA", "ZZ"],
            "rows": [1100, 7, 1],
            "roc_auc": [0.7, 0.8, None],
        }
    ),
    predictions=pd.DataFrame({"late": [0, 0, 1, 0], "probability": [0.1, 0.2, 0.6, 0.1]}),
    gate=[Check("one", 0.8, 0.7, True, "one: fine"), Check("two", 0.5, 0.7, False, "two: too low")],
    fingerprint={},
)
CHAMPION = {"version": "abc123", "comparable": False, "metrics": {**METRICS, "roc_auc": 0.8}}


def test_the_page_shows_winner_metrics_and_gate() -> None:
    assert evaluation_markdown(EVALUATION).splitlines() == [
        "# Evaluation on the test weeks",
        "",
        "The winner, by log loss on the validation weeks: **candidate**.",
        "",
        "| metric | baseline | candidate |",
        "|---|---|---|",
        "| roc_auc | 0.7123 | 0.7500 |",
        "| average_precision | 0.5000 | 0.5000 |",
        "| calibration_error | 0.0100 | 0.0100 |",
        "| late_share | 0.2500 | 0.2500 |",
        "| rows | 1,107 | 1,107 |",
        "",
        "Quality gate: **not passed**",
        "",
        "- [x] one: fine",
        "- [ ] two: too low",
    ]


def test_the_page_says_when_the_gate_is_passed() -> None:
    assert "Quality gate: **passed**" in evaluation_markdown(replace(EVALUATION, gate=EVALUATION.gate[:1]))


def test_a_champion_gets_a_column_and_a_note_when_it_cannot_be_compared() -> None:
    page = evaluation_markdown(replace(EVALUATION, champion=CHAMPION))
    assert "| metric | baseline | candidate | champion abc123 |" in page
    assert "| roc_auc | 0.7123 | 0.7500 | 0.8000 |" in page
    assert "it is shown, but not compared" in page
    comparable = replace(EVALUATION, champion={**CHAMPION, "comparable": True})
    assert "not compared" not in evaluation_markdown(comparable)


HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "a | b || c",
    "[click](javascript:alert(1)) ![seen](http://example.com/pixel.png)",
    "**bold** _it_ *it* ~~gone~~ `code` \\` \\",
    "first\n\n# second\r\n- [x] third\u2028fourth",
    "&lt;b&gt; &amp; &#60;",
    "see https://example.com, www.example.com, <mailto:a@example.com>",
    "    indented\n```\nfence\n```",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup_in_the_markdown(text: str) -> None:
    """What a reader sees is the text, and around it the same elements as around an ordinary one."""

    def page(name: str) -> str:
        metrics = {name: {name: 0.5, **METRICS}, "baseline": {name: 0.5, **METRICS}}
        champion = {"version": name, "comparable": True, "metrics": {name: 0.5, **METRICS}}
        checks = [Check(name, 0.5, 0.7, False, name)]
        return evaluation_markdown(replace(EVALUATION, winner=name, metrics=metrics, champion=champion, gate=checks))

    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    shown, ordinary = markdown.render(page(text)), markdown.render(page("ordinary"))
    plain = " ".join(text.split())
    assert shown.replace(html.escape(plain, quote=False).replace('"', "&quot;"), "ordinary") == ordinary
    assert not re.search(r"(?<!\\)(://|@)|www\.", page(text))  # no bare address that a viewer makes a link of


def test_the_picture_shows_four_labelled_parts() -> None:
    figure = evaluation_figure(EVALUATION)
    assert [axis.get_title() for axis in figure.axes] == [
        "ROC curve",
        "Precision and recall",
        "Calibration",
        "ROC AUC per origin and carrier (flights)",
    ]
    assert all(axis.get_xlabel() and axis.get_ylabel() for axis in figure.axes[:3])
    labels = [label.get_text() for label in figure.axes[3].get_yticklabels()]
    assert labels == ["carrier AA (7)", "origin JFK (1,100)"]  # from below; ZZ has no ROC AUC
    assert {"0.80", "0.70"} <= {text.get_text() for text in figure.axes[3].texts}


def test_the_picture_is_a_png_and_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save_figure(evaluation_figure(EVALUATION), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert matplotlib.image.imread(tmp_path / "a.png").shape[:2] == (800, 1100)


def test_the_html_page_shows_the_same_and_needs_no_other_file() -> None:
    gate = [*EVALUATION.gate, Check("three", 0.5, 0.7, False, "a < b & c")]
    page = evaluation_html(replace(EVALUATION, gate=gate), picture=b"\x89PNG")
    assert "The winner: <b>candidate</b>. Quality gate: <b>not passed</b>." in page
    assert "<tr><td>roc_auc</td><td>0.7123</td><td>0.7500</td></tr>" in page
    assert "<tr><td>was late</td><td>0</td><td>1</td></tr>" in page
    assert "✗ a &lt; b &amp; c" in page
    assert 'src="data:image/png;base64,iVBORw==' in page
    assert "http" not in page


def test_the_roc_curve_by_hand() -> None:
    late, probability = pd.Series([0, 0, 1, 1]), pd.Series([0.1, 0.4, 0.35, 0.8])
    assert roc_points(late, probability) == (
        [0, 0, 0.5, 0.5, 1],
        [0, 0.5, 0.5, 1, 1],
        [1, 0.8, 0.4, 0.35, 0.1],  # the first is finite: JSON has no infinity
    )


def test_a_long_roc_curve_keeps_its_ends_and_few_points() -> None:
    random = np.random.default_rng(0)
    late = pd.Series(random.integers(0, 2, 5000))
    false_positive, true_positive, threshold = roc_points(late, pd.Series(random.random(5000)))
    assert len(false_positive) == len(true_positive) == len(threshold) == 50
    assert (false_positive[0], true_positive[0], false_positive[-1], true_positive[-1]) == (0, 0, 1, 1)
    assert threshold == sorted(threshold, reverse=True)


def test_the_confusion_matrix_by_hand() -> None:
    late, probability = pd.Series([0, 0, 0, 1, 1]), pd.Series([0.1, 0.5, 0.2, 0.4, 0.9])
    assert confusion(late, probability) == (["on time", "late"], [[2, 1], [1, 1]])


def test_the_confusion_matrix_has_both_categories_although_one_does_not_occur() -> None:
    assert confusion(pd.Series([0]), pd.Series([0.1]))[1] == [[1, 0], [0, 0]]
