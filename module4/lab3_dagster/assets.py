"""The training pipeline as assets: each function returns a thing worth keeping, its parameters are the things it needs.

Nothing here says where values are stored: the IO manager does that (io_manager.py).
"""

from collections.abc import Iterator

import dagster as dg
from pandas import DataFrame

from module4.lab3_dagster.resources import Pipeline
from shared import data, deployment, evaluation, features, models, tracking
from shared.deployment import Deployment
from shared.evaluation import Evaluation
from shared.models import Fitted, Trial, TrialResult

# Waits about 1, then 3 seconds; the jitter keeps steps that failed together from trying again together.
RETRY = dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@dg.asset(group_name="training", kinds={"pandas", "parquet"}, retry_policy=RETRY)
def load_data(pipeline: Pipeline) -> DataFrame:
    """Load the scheduled flights of the configured weeks, with weather, planes and airports."""
    return data.load_data(pipeline.settings)


@dg.asset(group_name="training", kinds={"pandas", "parquet"}, retry_policy=RETRY)
def preprocess(pipeline: Pipeline, load_data: DataFrame) -> DataFrame:
    """Compute the model's features and the label, split by weeks."""
    return features.preprocess(pipeline.settings, load_data)


@dg.asset(group_name="training", kinds={"scikitlearn"}, retry_policy=RETRY)
def train(pipeline: Pipeline, preprocess: DataFrame) -> Fitted:
    """Fit the baseline: the configured hyperparameters."""
    return models.train(pipeline.settings, preprocess)


@dg.op(ins={"train": dg.In(dg.Nothing)}, out=dg.DynamicOut(Trial), retry_policy=RETRY)
def propose_trials(pipeline: Pipeline) -> Iterator[dg.DynamicOutput[Trial]]:
    """Yield an output per trial: only now does Dagster learn how many there are."""
    for trial in models.propose_trials(pipeline.settings):
        yield dg.DynamicOutput(trial, mapping_key=str(trial.number))


@dg.op(retry_policy=RETRY, pool="trials")
def run_trial(pipeline: Pipeline, preprocess: DataFrame, trial: Trial) -> TrialResult:
    """Score one trial on the validation weeks."""
    return models.run_trial(pipeline.settings, preprocess, trial)


@dg.op(retry_policy=RETRY)
def select_best(pipeline: Pipeline, preprocess: DataFrame, results: list[TrialResult]) -> Fitted:
    """Fit the best trial's hyperparameters again."""
    return models.select_best(pipeline.settings, preprocess, results)


@dg.graph_asset(group_name="training", kinds={"scikitlearn"})
def hyperparameter_search(preprocess: DataFrame, train: Fitted) -> Fitted:
    """Find the candidate: the best of several trials around the baseline."""
    trials = propose_trials(train=train)  # this function runs once, when it is loaded: it only draws the wires
    results = trials.map(lambda trial: run_trial(preprocess=preprocess, trial=trial))
    return select_best(preprocess=preprocess, results=results.collect())


@dg.asset(group_name="training", kinds={"scikitlearn"}, retry_policy=RETRY)
def evaluate(pipeline: Pipeline, preprocess: DataFrame, train: Fitted, hyperparameter_search: Fitted) -> Evaluation:
    """Compare baseline, candidate and champion on the test weeks, and judge the winner by the quality gate."""
    champion = pipeline.registry.find_champion()
    return evaluation.evaluate(pipeline.settings, preprocess, train, hyperparameter_search, champion)


@dg.asset(group_name="training", kinds={"json"}, retry_policy=RETRY)
def deploy(context: dg.AssetExecutionContext, pipeline: Pipeline, evaluate: Evaluation) -> Deployment:
    """Register the winner for staging, and for production if the gate passed."""
    outcome = deployment.deploy(pipeline.settings, evaluate, pipeline.registry)
    tracking.log_run(pipeline.settings, evaluate, outcome, platform="dagster", run_id=context.run.run_id)
    return outcome


ASSETS = [load_data, preprocess, train, hyperparameter_search, evaluate, deploy]
