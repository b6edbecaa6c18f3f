"""The model: the same work gives the same bytes, and only our own files are loaded."""

import functools
import importlib
import io
import itertools
import os
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from shared.config import Hyperparameters, PipelineConfig, preset
from shared.errors import DataError, ModelError
from shared.features import FEATURES
from shared.fitted import TRUSTED_TYPES, Fitted, dump_model, load_model, predict
from shared.models import fit, run_trial, select_best, train
from shared.trials import Trial, TrialResult, propose_trials


def result(number: int, log_loss: float, **settings: Any) -> TrialResult:
    return TrialResult(
        number=number, hyperparameters=Hyperparameters(max_iter=2, **settings), log_loss=log_loss, roc_auc=0.5
    )


# Fitting


def test_a_fit_that_loses_the_warning_filters_gets_them_back(
    small: PipelineConfig, tiny_features: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def racing(model: HistGradientBoostingClassifier, x: pd.DataFrame, y: pd.Series) -> HistGradientBoostingClassifier:
        warnings.resetwarnings()  # what two of scikit-learn's threads do if they meet in `catch_warnings`
        return honest(model, x, y)

    honest = HistGradientBoostingClassifier.fit
    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", racing)
    before = [*warnings.filters]
    fit(small, tiny_features, Hyperparameters(max_iter=1), ["train"])
    assert before
    assert warnings.filters == before


def test_the_baseline_is_the_configured_one(small: PipelineConfig, baseline: Fitted) -> None:
    assert (baseline.trial.number, baseline.trial.hyperparameters) == (-1, small.baseline)
    assert baseline.model.n_iter_ == 5
    assert 0.5 < baseline.trial.roc_auc < 1
    assert 0 < baseline.trial.log_loss < 1


def test_the_baseline_is_fitted_on_training_and_validation_weeks(
    small: PipelineConfig, small_features: pd.DataFrame, baseline: Fitted
) -> None:
    again = fit(small, small_features[small_features["split"] != "test"], small.baseline, ["train", "validation"])
    assert dump_model(again) == dump_model(baseline.model)


def test_the_test_weeks_are_never_looked_at(
    small: PipelineConfig, small_features: pd.DataFrame, baseline: Fitted
) -> None:
    spoiled = small_features.copy()
    test = spoiled["split"] == "test"
    spoiled.loc[test, "late"] = 1 - spoiled.loc[test, "late"]
    spoiled.loc[test, "distance"] = 1
    again = train(small, spoiled)
    assert again.trial == baseline.trial
    assert dump_model(again.model) == dump_model(baseline.model)


def test_scores_come_from_a_model_that_has_not_seen_the_validation_weeks(
    small: PipelineConfig, small_features: pd.DataFrame
) -> None:
    # A label that is random on both splits cannot be guessed, unless the validation weeks were learned by heart.
    features = small_features.assign(late=np.random.default_rng(0).integers(0, 2, len(small_features)).astype("int8"))
    settings = Hyperparameters(max_iter=20, learning_rate=0.5, max_leaf_nodes=200, min_samples_leaf=1)
    score = run_trial(small, features, Trial(number=0, hyperparameters=settings))
    assert 0.4 < score.roc_auc < 0.6
    seen = fit(small, features, settings, ["train", "validation"])
    known = features[features["split"] == "validation"]
    assert roc_auc_score(known["late"], predict(seen, known)) > 0.9


@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_does_not_matter(
    small: PipelineConfig, tiny_features: pd.DataFrame, threads: int
) -> None:
    fitted = []
    for count in (1, threads):
        with threadpool_limits(count):
            fitted.append(train(small, tiny_features))
    one, many = fitted
    assert one.trial == many.trial
    assert dump_model(one.model) == dump_model(many.model)
    np.testing.assert_array_equal(predict(one.model, tiny_features), predict(many.model, tiny_features))


def test_the_seed_matters(small: PipelineConfig, small_features: pd.DataFrame, baseline: Fitted) -> None:
    other = train(small.model_copy(update={"seed": 1}), small_features)
    assert dump_model(other.model) != dump_model(baseline.model)


def test_a_prediction_is_a_probability_per_row(baseline: Fitted, small_features: pd.DataFrame) -> None:
    probability = predict(baseline.model, small_features)
    assert probability.shape == (len(small_features),)
    assert ((probability > 0) & (probability < 1)).all()


def test_predictions_need_neither_label_nor_split_nor_an_order_of_columns(
    baseline: Fitted, small_features: pd.DataFrame
) -> None:
    bare = small_features[FEATURES[::-1]]
    np.testing.assert_array_equal(predict(baseline.model, bare), predict(baseline.model, small_features))


def test_a_category_never_seen_is_like_a_missing_one(baseline: Fitted, small_features: pd.DataFrame) -> None:
    rows = small_features.head(50)
    new, missing = (rows.assign(dest=pd.Categorical([value] * 50, categories=["ZZZ"])) for value in ("ZZZ", None))
    np.testing.assert_array_equal(predict(baseline.model, new), predict(baseline.model, missing))


# The search


def test_trials_are_numbered_and_different() -> None:
    trials = propose_trials(preset("lab"))
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4, 5]
    assert len({trial.hyperparameters.model_dump_json() for trial in trials}) == 6


def test_a_trial_depends_on_seed_and_number_alone() -> None:
    few, many = propose_trials(preset("lab", trials=3)), propose_trials(preset("lab", trials=50))
    assert few == many[:3]
    assert few != propose_trials(preset("lab", trials=3, seed=1))


def test_trials_stay_around_the_baseline() -> None:
    base = Hyperparameters(
        learning_rate=0.1, max_iter=100, max_leaf_nodes=30, min_samples_leaf=60, l2_regularization=1, max_features=0.5
    )
    for trial in propose_trials(preset("lab", trials=200, baseline=base)):
        settings = trial.hyperparameters
        assert 0.05 <= settings.learning_rate <= 0.2
        assert 50 <= settings.max_iter <= 200
        assert settings.learning_rate * settings.max_iter == pytest.approx(10, rel=0.02)  # more trees, smaller steps
        assert 15 <= settings.max_leaf_nodes <= 60
        assert 20 <= settings.min_samples_leaf <= 180
        assert 0.1 <= settings.l2_regularization <= 10
        assert 0.25 <= settings.max_features <= 1


@pytest.mark.parametrize(
    "extreme",
    [
        {"learning_rate": 1, "max_iter": 2000, "max_leaf_nodes": 255, "max_features": 1},
        {"max_iter": 1, "max_leaf_nodes": 2, "min_samples_leaf": 1, "l2_regularization": 0},
        {"learning_rate": 0.00005},
        {"max_features": 0.004},
    ],
)
def test_trials_around_an_extreme_baseline_are_still_possible(extreme: dict[str, float]) -> None:
    assert len(propose_trials(preset("tiny", trials=200, baseline=extreme))) == 200


def test_the_order_of_results_does_not_matter(small: PipelineConfig, small_features: pd.DataFrame) -> None:
    results = [result(0, 0.6), result(1, 0.4, learning_rate=0.3), result(2, 0.5)]
    best = [select_best(small, small_features, order) for order in itertools.permutations(results)]
    assert {fitted.trial.number for fitted in best} == {1}
    assert len({dump_model(fitted.model) for fitted in best}) == 1


def test_of_equal_trials_the_first_number_is_the_best(small: PipelineConfig, small_features: pd.DataFrame) -> None:
    results = [result(2, 0.4), result(1, 0.4), result(0, 0.6)]
    assert select_best(small, small_features, results).trial.number == 1


def test_the_best_is_fitted_again_on_training_and_validation_weeks(
    small: PipelineConfig, small_features: pd.DataFrame
) -> None:
    best = select_best(small, small_features, [result(0, 0.6), result(1, 0.4), result(2, 0.5)])
    again = fit(small, small_features, best.trial.hyperparameters, ["train", "validation"])
    assert dump_model(best.model) == dump_model(again)


@pytest.mark.parametrize(("numbers", "shown"), [([0, 1], "[0, 1]"), ([2, 1, 1], "[1, 1, 2]"), ([], "[]")])
def test_results_that_are_not_complete_are_refused(
    small: PipelineConfig, small_features: pd.DataFrame, numbers: list[int], shown: str
) -> None:
    with pytest.raises(DataError) as caught:
        select_best(small, small_features, [result(number, 0.5) for number in numbers])
    assert str(caught.value) == f"select_best: needs the results of trials 0 to 2, got {shown}."


# The model's file


def test_a_loaded_model_is_the_one_that_was_stored(baseline: Fitted, small_features: pd.DataFrame) -> None:
    content = dump_model(baseline.model)
    loaded = load_model(content)
    assert dump_model(loaded) == content
    assert loaded is not baseline.model
    np.testing.assert_array_equal(predict(loaded, small_features), predict(baseline.model, small_features))


def test_storing_twice_gives_the_same_bytes(baseline: Fitted) -> None:
    first = dump_model(baseline.model)
    clutter = [object() for _ in range(1000)]  # moves the addresses of what comes next
    assert dump_model(baseline.model) == first
    del clutter


def test_the_file_holds_no_pickle(baseline: Fitted) -> None:
    with zipfile.ZipFile(io.BytesIO(dump_model(baseline.model))) as file:
        assert all(name == "schema.json" or name.endswith(".npy") for name in file.namelist())
        for name in file.namelist():
            if name.endswith(".npy"):
                np.load(io.BytesIO(file.read(name)), allow_pickle=False)


FIT_ELSEWHERE = """
import hashlib
import numpy as np, pandas as pd
from shared.config import preset
from shared.features import CATEGORIES, FEATURES
from shared.fitted import dump_model
from shared.models import fit
random = np.random.default_rng(0)
frame = pd.DataFrame({name: random.random(500).astype("float32") for name in FEATURES})
for name in CATEGORIES:
    frame[name] = pd.Categorical.from_codes(random.integers(0, 4, 500), ["a", "b", "c", "d"])
frame = frame.assign(late=(frame["distance"] > 0.5).astype("int8"), split="train")
config = preset("tiny", baseline={"max_iter": 5})
print(hashlib.sha256(dump_model(fit(config, frame, config.baseline, ["train"]))).hexdigest())
"""


def test_another_process_makes_the_same_file(
    run_python: Callable[..., subprocess.CompletedProcess[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    exec(FIT_ELSEWHERE, {})
    here = capsys.readouterr().out
    elsewhere = run_python("-c", FIT_ELSEWHERE, env={"PYTHONHASHSEED": "1"}).stdout
    assert elsewhere == here
    assert len(here.strip()) == 64


# Files that are refused


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06" + bytes(18)], ids=["empty", "text", "empty archive"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"^store/model\.skops: is not a readable model \(.+\); not loaded\.$"):
        load_model(content, "store/model.skops")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_truncated_model_is_refused(baseline: Fitted, keep: float) -> None:
    content = dump_model(baseline.model)
    with pytest.raises(ModelError, match=r"is not a readable model \(BadZipFile: File is not a zip file\); not loaded"):
        load_model(content[: int(len(content) * keep)])


def test_a_flipped_byte_is_refused_or_harmless(baseline: Fitted, small_features: pd.DataFrame) -> None:
    content = dump_model(baseline.model)
    rows = small_features.head(20)
    expected = predict(baseline.model, rows)
    refused = 0
    positions = range(0, len(content), len(content) // 60)
    for position in positions:
        damaged = bytearray(content)
        damaged[position] ^= 0b100
        try:
            loaded = load_model(bytes(damaged))
        except ModelError:
            refused += 1
        else:  # what an archive says about dates and permissions may change
            np.testing.assert_array_equal(predict(loaded, rows), expected)
    assert refused > len(positions) / 2


def test_another_kind_of_model_is_refused() -> None:
    other = LogisticRegression().fit([[0], [1]], [0, 1])
    with pytest.raises(ModelError, match="holds a LogisticRegression, not a gradient boosting classifier; not loaded"):
        load_model(skops.io.dumps(other))


@pytest.mark.parametrize("value", [{"a": 1}, [1, 2], 3, "text", None])
def test_plain_values_are_refused(value: Any) -> None:
    with pytest.raises(ModelError, match=rf"holds a {type(value).__name__}, not a gradient boosting classifier"):
        load_model(skops.io.dumps(value))


MARKING_MODULE = """
import os
open(os.environ["MARKER"], "a").write("imported ")

class Harmful:
    def __init__(self):
        self.text = "x"

    def __setstate__(self, state):
        open(os.environ["MARKER"], "a").write("restored ")
"""


@pytest.fixture
def harmful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Path]]:
    """An object whose module and class leave a mark when they run, and the file of marks."""
    marker = tmp_path / "marks"
    (tmp_path / "harmful_module.py").write_text(MARKING_MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MARKER", str(marker))
    value = importlib.import_module("harmful_module").Harmful()
    del sys.modules["harmful_module"]
    marker.unlink()
    yield value, marker
    sys.modules.pop("harmful_module", None)


def test_an_untrusted_class_is_refused_before_anything_of_it_runs(harmful: tuple[Any, Path]) -> None:
    value, marker = harmful
    content = skops.io.dumps({"model": [value]})
    with pytest.raises(ModelError, match=r"holds types that are not trusted \(harmful_module\.Harmful\); not loaded"):
        load_model(content)
    assert not marker.exists()
    assert "harmful_module" not in sys.modules
    skops.io.loads(content, trusted=["harmful_module.Harmful"])  # trusting it means running it
    assert marker.read_text() == "imported restored "


def test_an_untrusted_class_inside_of_a_real_model_is_refused(harmful: tuple[Any, Path], baseline: Fitted) -> None:
    value, marker = harmful
    model = load_model(dump_model(baseline.model))
    model._bin_mapper.note = value
    with pytest.raises(ModelError, match=r"not trusted \(harmful_module\.Harmful\)"):
        load_model(dump_model(model))
    assert not marker.exists()


@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "posix.system"), (subprocess.call, "subprocess.call"), (eval, "builtins.eval")],
)
def test_a_prepared_call_is_refused(tmp_path: Path, function: Any, name: str, baseline: Fitted) -> None:
    model = load_model(dump_model(baseline.model))
    model.prepared = functools.partial(function, f"touch {tmp_path}/marker")
    with pytest.raises(ModelError, match=rf"not trusted \(.*{name}.*\); not loaded"):
        load_model(dump_model(model))
    assert not (tmp_path / "marker").exists()


def test_trust_is_given_to_what_our_models_hold_and_to_nothing_else(baseline: Fitted, candidate: Fitted) -> None:
    for fitted in (baseline, candidate):
        assert sorted(skops.io.get_untrusted_types(data=dump_model(fitted.model))) == sorted(TRUSTED_TYPES)
