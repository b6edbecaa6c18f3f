# Plausible wrong answers, and a word that the hint must have.

# %% exercise=1 hint="what was chosen before"
my_run = wandb.init(
    project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "7", "roc_auc": 0.7}
)
my_run.finish()

# %% exercise=1 hint="tags= takes a list"
my_run = wandb.init(project="lesson-6", mode="offline", config={"platform_run_id": "7"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% exercise=1 hint="nobody finds the run"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"])
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% exercise=2 hint="groups artifacts by type"
my_artifact = wandb.Artifact("late-arrival", type="dataset", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file))

# %% exercise=2 hint="no file"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f", "file": str(model_file)})

# %% exercise=2 hint="fingerprint is None"
my_artifact = wandb.Artifact("late-arrival", type="model")
my_artifact.add_file(str(model_file))


# %% exercise=1 hint="is 70, not the number 0.7"
my_run = wandb.init(
    project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "manual__1"}
)
my_run.summary["roc_auc"] = 70
my_run.finish()

# %% exercise=1 hint="say mode="
my_run = wandb.init(
    project="lesson-6", mode="disabled", tags=["lesson", "tiny"], config={"platform_run_id": "manual__1"}
)
my_run.summary["roc_auc"] = 0.7
my_run.finish()
