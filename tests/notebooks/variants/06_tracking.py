# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong what_was_chosen_before hint="what was chosen before"
my_run = wandb.init(
    project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "7", "roc_auc": 0.7}
)
my_run.finish()


# %% 1 wrong tags_takes_a_list hint="tags= takes a list"
my_run = wandb.init(project="lesson-6", mode="offline", config={"platform_run_id": "7"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()


# %% 1 wrong nobody_finds_the_run hint="nobody finds the run"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"])
my_run.summary["roc_auc"] = 0.7
my_run.finish()


# %% 1 wrong is_70_not_the_number_0_7 hint="is 70, not the number 0.7"
my_run = wandb.init(
    project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "manual__1"}
)
my_run.summary["roc_auc"] = 70
my_run.finish()


# %% 1 wrong say_mode hint="say mode="
my_run = wandb.init(
    project="lesson-6", mode="disabled", tags=["lesson", "tiny"], config={"platform_run_id": "manual__1"}
)
my_run.summary["roc_auc"] = 0.7
my_run.finish()


# %% 2 wrong groups_artifacts_by_type hint="groups artifacts by type"
my_artifact = wandb.Artifact("late-arrival", type="dataset", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file))


# %% 2 wrong no_file hint="no file"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f", "file": str(model_file)})


# %% 2 wrong fingerprint_is_none hint="fingerprint is None"
my_artifact = wandb.Artifact("late-arrival", type="model")
my_artifact.add_file(str(model_file))
