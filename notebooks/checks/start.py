"""Checks of lesson 0: the student's configuration, and what a feature may be made from."""

from collections.abc import Iterator
from datetime import date

from notebooks.checks import Exercises, Finding, expect, must
from shared.config import PipelineConfig

check = Exercises()

KNOWN = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"}


@check.exercise(1)
def configuration(answer: object) -> Iterator[Finding]:
    """A tiny configuration with three trials, tested from June on."""
    yield must(
        isinstance(answer, PipelineConfig),
        "it is a configuration",
        f"`mine` is a {type(answer).__name__}; call config.preset(...) and keep what it returns.",
    )
    assert isinstance(answer, PipelineConfig)
    yield expect(
        answer.preset == "tiny", "it starts from tiny", f"It starts from {answer.preset!r}: the first argument."
    )
    yield expect(answer.trials == 3, "three trials", f"It has {answer.trials}; the field is called trials.")
    yield expect(
        answer.test_start == date(2013, 6, 3),
        "the test weeks begin on 3 June 2013",
        f"They begin on {answer.test_start}; the field test_start takes a date(year, month, day).",
    )


@check.exercise(2)
def allowed_columns(answer: object) -> Iterator[Finding]:
    """Everything that is known before the flight, and nothing else."""
    yield must(
        isinstance(answer, set | frozenset | list | tuple),
        "it is a collection of names",
        'Write a set, like {"carrier", "dest"}.',
    )
    assert isinstance(answer, set | frozenset | list | tuple)
    names = {str(name) for name in answer}
    yield expect(
        "arr_delay" not in names,
        "nothing comes from the future",
        "arr_delay is known when the flight has landed. It is what we want to predict: a model that reads it is "
        "perfect in every test, and useless.",
    )
    yield expect(
        not names - KNOWN - {"arr_delay"},
        "all names are in the list",
        f"Not in the list: {', '.join(sorted(names - KNOWN - {'arr_delay'}))}.",
    )
    yield expect(
        names >= KNOWN,
        "nothing useful is left out",
        f"{', '.join(sorted(KNOWN - names))}: known before departure. The plan says it, or it was measured earlier.",
    )
