"""Which step of the shared graph makes which asset: tasks are verbs, assets are nouns.

The other platforms name what runs. Dagster names what exists afterwards, so one pipeline has two sets of names.
"""

STEP_OF = {
    # training
    "flights": "load_data",
    "features": "preprocess",
    "baseline": "train",
    "candidate": "hyperparameter_search",
    "evaluation": "evaluate",
    "deployment": "deploy",
    # inference
    "batch": "load_batch",
    "production_model": "load_model",
    "scores": "predict",
    "predictions": "save_predictions",
    # monitoring
    "drift": "measure_drift",
    "retraining_decision": "decide_retraining",
}
