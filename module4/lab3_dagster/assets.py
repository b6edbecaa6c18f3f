"""The training pipeline as assets: each function returns something worth keeping; its parameters are what it needs.

Nothing here says where values are stored: the IO manager does that (io_manager.py).
"""

from collections.abc import Iterator

import dagster as dg
from pandas import DataFrame

from module4.lab3_dagster.resources import Pipeline
from shared import models, tracking, trials
from shared.data import load_data
from shared.deployment import Deployment, deploy
from shared.evaluation import Evaluation, evaluate
from shared.features import preprocess
from shared.fitted import Fitted
from shared.trials import Trial, TrialResult

# Waits about 1, then 3 seconds; the jitter keeps steps that failed together from retrying together.
RETRY = dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@dg.asset(group_name="training", kinds={"pandas", "parquet"}, retry_policy=RETRY)
def flights(pipeline: Pipeline) -> DataFrame:
    """The scheduled flights of the configured weeks, with weather, planes and airports."""
    return load_data(pipeline.config)


@dg.asset(group_name="training", kinds={"pandas", "parquet"}, retry_policy=RETRY)
def features(pipeline: Pipeline, flights: DataFrame) -> DataFrame:
    """The model's features and the label, split by weeks."""
    return preprocess(pipeline.config, flights)


@dg.asset(group_name="training", kinds={"scikitlearn"}, retry_policy=RETRY)
def baseline(pipeline: Pipeline, features: DataFrame) -> Fitted:
    """The model with the configured hyperparameters."""
    return models.train(pipeline.config, features)


@dg.op(ins={"baseline": dg.In(dg.Nothing)}, out=dg.DynamicOut(Trial), retry_policy=RETRY)
def propose_trials(pipeline: Pipeline) -> Iterator[dg.DynamicOutput[Trial]]:
    """Yield one output per trial. Only now does Dagster learn how many there are."""
    for trial in trials.propose_trials(pipeline.config):
        yield dg.DynamicOutput(trial, mapping_key=str(trial.number))


@dg.op(retry_policy=RETRY, pool="trials")
def run_trial(pipeline: Pipeline, features: DataFrame, trial: Trial) -> TrialResult:
    """Score one trial on the validation weeks."""
    return models.run_trial(pipeline.config, features, trial)


@dg.op(retry_policy=RETRY)
def select_best(pipeline: Pipeline, features: DataFrame, results: list[TrialResult]) -> Fitted:
    """Refit the model with the best trial's hyperparameters."""
    return models.select_best(pipeline.config, features, results)


@dg.graph_asset(group_name="training", kinds={"scikitlearn"})
def candidate(features: DataFrame, baseline: Fitted) -> Fitted:
    """The best of several trials around the baseline."""
    trials = propose_trials(baseline=baseline)  # this function runs once, when it is loaded: it only wires the ops
    results = trials.map(lambda trial: run_trial(features=features, trial=trial))
    return select_best(features=features, results=results.collect())


@dg.asset(group_name="training", kinds={"scikitlearn"}, retry_policy=RETRY)
def evaluation(pipeline: Pipeline, features: DataFrame, baseline: Fitted, candidate: Fitted) -> Evaluation:
    """Baseline, candidate and champion compared on the test weeks, and the quality gate's verdict on the winner."""
    champion = pipeline.registry.find_champion()
    return evaluate(pipeline.config, features, baseline, candidate, champion)


@dg.asset(group_name="training", kinds={"json"}, retry_policy=RETRY)
def deployment(context: dg.AssetExecutionContext, pipeline: Pipeline, evaluation: Evaluation) -> Deployment:
    """The winner's version in the registry: in staging, and in production if it passed the gate."""
    outcome = deploy(pipeline.config, evaluation, pipeline.registry)
    tracking.log_run(pipeline.config, evaluation, outcome, platform="dagster", run_id=context.run.run_id)
    return outcome


ASSETS = [flights, features, baseline, candidate, evaluation, deployment]
