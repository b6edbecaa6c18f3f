"""Training: scikit-learn's histogram gradient boosting, fitted, scored and refined by a search.

Threads only share out the work: the fitted trees are the same for any number of them.
"""

import warnings
from collections.abc import Sequence

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

from shared.config import Hyperparameters, PipelineConfig
from shared.errors import DataError
from shared.features import FEATURES, LABEL, SPLIT
from shared.fitted import Fitted, Model, predict
from shared.progress import logged_step
from shared.trials import BASELINE, Trial, TrialResult


@logged_step
def train(config: PipelineConfig, features: pd.DataFrame) -> Fitted:
    """Return the baseline: the configured hyperparameters, scored on the validation weeks, then fitted on all."""
    trial = Trial(number=BASELINE, hyperparameters=config.baseline)
    return _refit(config, features, _score(config, features, trial))


@logged_step
def run_trial(config: PipelineConfig, features: pd.DataFrame, trial: Trial) -> TrialResult:
    """Return the trial's scores: fitted on the training weeks, scored on the validation weeks."""
    return _score(config, features, trial)


@logged_step
def select_best(config: PipelineConfig, features: pd.DataFrame, results: Sequence[TrialResult]) -> Fitted:
    """Return the candidate: the best trial's hyperparameters, fitted again on training and validation weeks.

    The best has the lowest log loss, then the lowest number: the order of `results` does not matter.
    Raises DataError when a trial is missing or given twice.
    """
    numbers = sorted(result.number for result in results)
    if numbers != list(range(config.trials)):
        raise DataError(f"select_best: needs the results of trials 0 to {config.trials - 1}, got {numbers}.")
    best = min(results, key=lambda result: (result.log_loss, result.number))
    return _refit(config, features, best)


def fit(config: PipelineConfig, features: pd.DataFrame, hyperparameters: Hyperparameters, splits: list[str]) -> Model:
    """Return a model fitted on the rows of `splits`, a list of train, validation, and test.

    `features` has the columns FEATURES (numbers, and categories as pandas' category type, either with missing values),
    `late` (0 or 1), and `split`, a row per flight. The configuration contributes its seed.
    """
    rows = features[features[SPLIT].isin(splits)]
    model = HistGradientBoostingClassifier(
        **hyperparameters.model_dump(),
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=config.seed,
    )
    # scikit-learn's threads may lose this process's warning filters; all later fits would then print a warning.
    with warnings.catch_warnings():
        model.fit(rows[FEATURES], rows[LABEL])
    # scikit-learn remembers how many threads it had; without this the model's file would depend on the machine.
    model._bin_mapper.n_threads = 1
    return model


def _refit(config: PipelineConfig, features: pd.DataFrame, trial: TrialResult) -> Fitted:
    return Fitted(fit(config, features, trial.hyperparameters, ["train", "validation"]), trial)


def _score(config: PipelineConfig, features: pd.DataFrame, trial: Trial) -> TrialResult:
    validation = features[features[SPLIT] == "validation"]
    probability = predict(fit(config, features, trial.hyperparameters, ["train"]), validation)
    return TrialResult(
        number=trial.number,
        hyperparameters=trial.hyperparameters,
        log_loss=float(log_loss(validation[LABEL], probability)),
        roc_auc=float(roc_auc_score(validation[LABEL], probability)),
    )
