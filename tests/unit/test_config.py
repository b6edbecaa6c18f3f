"""The configuration: what the presets mean in dates, and that impossible values are refused by name of the field."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pydantic
import pytest

from shared.config import PRESETS, in_2013, parse, preset
from shared.errors import ConfigError

Day = tuple[int, int, int]


@pytest.mark.parametrize(
    ("name", "train_start", "validation_start", "test_start", "test_end"),
    [
        ("tiny", (2013, 2, 4), (2013, 2, 25), (2013, 3, 4), (2013, 3, 11)),
        ("lab", (2013, 2, 4), (2013, 4, 8), (2013, 4, 22), (2013, 5, 6)),
        ("full", (2013, 1, 4), (2013, 9, 27), (2013, 11, 1), (2014, 1, 1)),
    ],
)
def test_the_weeks_of_a_preset(
    name: str, train_start: Day, validation_start: Day, test_start: Day, test_end: Day
) -> None:
    config = preset(name)
    days = [config.train_start, config.validation_start, config.test_start, config.test_end]
    assert days == [date(*day) for day in (train_start, validation_start, test_start, test_end)]


def test_the_last_test_week_ends_with_the_year() -> None:
    assert preset("tiny", test_start=date(2013, 12, 30)).test_end == date(2014, 1, 1)


def test_a_configuration_ends_at_a_day_with_its_test_weeks() -> None:
    moved = preset("lab").ending_at(date(2013, 7, 15))
    assert (moved.test_start, moved.test_end, moved.train_weeks) == (date(2013, 7, 1), date(2013, 7, 15), 9)
    assert moved.model_copy(update={"test_start": preset("lab").test_start}) == preset("lab")


def test_early_in_the_year_there_are_fewer_training_weeks() -> None:
    moved = preset("full").ending_at(date(2013, 7, 15))
    assert moved.train_weeks == 13
    assert moved.train_start >= date(2013, 1, 1)


@pytest.mark.parametrize("day", [date(2013, 1, 21), date(2014, 1, 2)])
def test_a_day_without_enough_weeks_before_it_is_refused(day: date) -> None:
    with pytest.raises(ConfigError, match=f"day: a model cannot be trained as of {day}"):
        preset("tiny").ending_at(day)


@pytest.mark.parametrize("name", PRESETS)
def test_json_brings_the_same_configuration_back(name: str) -> None:
    config = preset(name, data_folder="/some where/ü", seed=2**32 - 1)
    assert parse(config.to_json()) == config


def test_json_keeps_integers() -> None:
    assert '"trials":2,' in preset("tiny").to_json()


@pytest.mark.parametrize("name", PRESETS)
def test_a_bare_name_is_a_preset(name: str) -> None:
    assert parse(name) == preset(name)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        preset("tiny").trials = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("train_weeks", -1),
        ("train_weeks", 0),
        ("validation_weeks", 0),
        ("test_weeks", 53),
        ("trials", 0),
        ("trials", 201),
        ("trials", 2.5),
        ("trials", "many"),
        ("trials", None),
        ("seed", -1),
        ("seed", 2**32),
        ("test_start", "soon"),
        ("tracking", "sometimes"),
        ("model_name", "../elsewhere"),
        ("model_name", ""),
        ("colour", "red"),
        ("train_weeks", 40),
        ("test_start", "2014-01-01"),
        ("test_start", "2012-12-31"),
        ("test_start", "0001-01-01"),
    ],
)
def test_an_impossible_value_is_refused_by_its_fields_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=field):
        preset("tiny", **{field: value})


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("baseline", "learning_rate", 0),
        ("baseline", "learning_rate", float("nan")),
        ("baseline", "l2_regularization", float("inf")),
        ("baseline", "max_iter", 0),
        ("baseline", "max_leaf_nodes", 1),
        ("baseline", "max_features", 1.1),
        ("baseline", "depth", 3),
        ("gate", "min_roc_auc", 1.5),
        ("gate", "max_log_loss_increase", -0.1),
    ],
)
def test_an_impossible_inner_value_is_refused_by_its_whole_path(part: str, field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{part}\.{field}: "):
        preset("tiny", **{part: {field: value}})


def test_the_text_names_every_wrong_field_and_its_value() -> None:
    with pytest.raises(ConfigError) as caught:
        preset("tiny", train_weeks=-3, colour="red")
    assert str(caught.value) == (
        "The configuration cannot be used: train_weeks: Input should be greater than or equal to 1 (got -3); "
        "colour: Extra inputs are not permitted (got 'red')."
    )


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigError, match=r"preset: no preset is called 'huge'; choose one of tiny, lab, full\."):
        preset("huge")


def test_training_before_the_data_says_when_it_would_begin() -> None:
    with pytest.raises(ConfigError, match=r"train_weeks.* training would begin on 2012-12-31 .* 2013-01-01 to 2013-12"):
        preset("tiny", test_start=date(2013, 1, 28))  # four weeks and a day after the first day of the year


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid JSON"),
        ("smal", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[]", "configuration: "),
        ("{}", r"preset: Field required.*test_start: Field required.*trials: Field required"),
        ('{"preset": "huge"}', r"preset: Input should be 'tiny', 'lab' or 'full' \(got 'huge'\)"),
        (
            preset("tiny").to_json().replace('"l2_regularization":1.0', '"l2_regularization":NaN'),
            r"baseline\.l2_regularization: Input should be a finite number",
        ),
        (preset("tiny").to_json().replace('"train_weeks":3', '"train_weeks":40'), "training would begin on 2012-05-21"),
    ],
)
def test_text_that_is_no_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(text)


@pytest.mark.parametrize("year", [2013, 2024, 2026])
@pytest.mark.parametrize("day", ["01-01", "02-28", "03-01", "12-31"])
def test_the_same_day_of_2013_stands_for_today(year: int, day: str) -> None:
    assert in_2013(date.fromisoformat(f"{year}-{day}")) == date.fromisoformat(f"2013-{day}")


def test_2013_has_no_leap_day() -> None:
    assert in_2013(date(2024, 2, 29)) == date(2013, 2, 28)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trials", "true"),
        ("trials", '"3"'),
        ("trials", "3.0"),
        ("trials", "NaN"),
        ("test_start", "1362355200"),
        ("test_start", '"1362355200"'),
        ("data_folder", '""'),
        ("model_name", f'"{"a" * 300}"'),
        ("seed", '1, "seed": 2'),
        ("gate", '{"min_roc_auc": true}'),
        ("gate", "[" * 2000 + "]" * 2000),
    ],
)
def test_a_value_of_another_kind_is_refused(field: str, value: str) -> None:
    others = json.loads(preset("tiny").to_json())
    del others[field]
    with pytest.raises(ConfigError) as caught:
        parse(json.dumps(others)[:-1] + f', "{field}": {value}}}')
    assert len(str(caught.value)) < 500


def test_midnight_is_its_day_and_no_other_time_is() -> None:
    assert preset("tiny", test_start=datetime(2013, 6, 3)).test_start == date(2013, 6, 3)
    for other in (datetime(2013, 6, 3, 5), datetime(2013, 6, 3, tzinfo=UTC)):
        with pytest.raises(ConfigError, match="test_start"):
            preset("tiny", test_start=other)
