"""Checks of lesson 0: the student's configuration, and what a feature may be made from."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from notebooks.checks import Exercises, Finding, expect, kind_of, must, short
from shared.config import PipelineConfig, preset

check = Exercises()

KNOWN = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"}
RIGHT = preset("tiny", trials=3, test_start=date(2013, 6, 3))


@check.exercise(1, "mine")
def configuration(answer: object) -> Iterator[Finding]:
    """A tiny configuration with three trials, whose test weeks begin in June."""
    yield must(
        isinstance(answer, PipelineConfig),
        "it is a configuration",
        f"`mine` is {kind_of(answer)}. Call config.preset(...) and keep what it returns.",
    )
    assert isinstance(answer, PipelineConfig)
    yield expect(
        answer.preset == "tiny", "it starts from tiny", f"It starts from {answer.preset!r}: the first argument."
    )
    yield expect(
        answer.trials == 3 and isinstance(answer.trials, int),
        "three trials",
        f"trials is {answer.trials!r}; it must be the number 3.",
    )
    yield expect(
        answer.test_start == date(2013, 6, 3),
        "the test weeks begin on 3 June 2013",
        f"test_start is {answer.test_start!r}; test_start takes a date(year, month, day).",
    )
    asked = {"preset", "trials", "test_start"}
    others = [name for name in type(RIGHT).model_fields if name not in asked and _differs(answer, name)]
    yield expect(
        not others,
        "everything else is as in tiny",
        f"Different from the preset tiny: {', '.join(others)}. Start from config.preset('tiny', ...).",
    )


def _differs(answer: PipelineConfig, field: str) -> bool:
    return bool(getattr(answer, field) != getattr(RIGHT, field))


@check.exercise(2, "allowed")
def allowed_columns(answer: object) -> Iterator[Finding]:
    """All columns that are known before the flight, and no others."""
    yield must(
        isinstance(answer, Iterable) and not isinstance(answer, str | bytes | Mapping),
        "it is a collection of names",
        f"It is {kind_of(answer)}. Write a set of names, like {{'carrier', 'dest'}}.",
    )
    assert isinstance(answer, Iterable)
    yield must(
        not isinstance(answer, Iterator),
        "it can be read again",
        f"A {type(answer).__name__} can be read only once. Make a set of it: set(...).",
    )
    names = list(answer)
    strange = [name for name in names if not isinstance(name, str)]
    yield must(not strange, "the names are text", f"{', '.join(map(short, strange))}: not text. Put names in quotes.")
    chosen = set(names)
    yield expect(
        "arr_delay" not in chosen,
        "nothing comes from the future",
        "arr_delay is known only after the flight has landed. It is what we want to predict: a model that reads it is "
        "perfect in every test and useless in practice.",
    )
    unknown = sorted(chosen - KNOWN - {"arr_delay"})
    yield expect(not unknown, "all names are in the list", f"Not in the list: {', '.join(map(repr, unknown))}.")
    yield expect(
        chosen >= KNOWN,
        "nothing useful is left out",
        f"{', '.join(sorted(KNOWN - chosen))}: known before departure, because it was planned or measured earlier.",
    )
