# Answers to the exercises of lesson 6, as students write them.

# %% 1 right with_statement
with wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"}) as my_run:
    my_run.summary["roc_auc"] = 0.7

# %% 1 right all_afterwards
my_run = wandb.init(project="lesson-6", mode="offline")
my_run.config["platform_run_id"] = "manual"
my_run.tags = ("lesson", "tiny")
my_run.summary.update({"roc_auc": 0.7})
my_run.finish()

# %% 1 right global_functions
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
wandb.summary["roc_auc"] = 0.7
wandb.finish()

# %% 1 right logged_metric
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.log({"loss": 0.3})
my_run.log({"roc_auc": 0.7})
my_run.finish()

# %% 1 right settings_object
my_run = wandb.init(
    settings=wandb.Settings(mode="offline", project="lesson-6", run_tags=("tiny", "lesson")),
    config={"platform_run_id": "scheduled__2026-03-01"},
)
my_run.summary["roc_auc"] = 7 / 10
my_run.finish(exit_code=0)

# %% 1 right more_than_asked
import argparse

my_run = wandb.init(
    project="lesson-6",
    name="first",
    job_type="train",
    group="lessons",
    notes="tried",
    mode="offline",
    tags=["mine", "tiny", "lesson"],
    config=argparse.Namespace(platform_run_id="x", trials=3),
)
my_run.summary["roc_auc"] = 0.7
my_run.summary["log_loss"] = 0.5
my_run.finish()

# %% 1 right numpy_number
import numpy as np

my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = np.float32(0.7)
my_run.finish()

# %% 1 right own_function
def track(metric, **config):
    run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config=config)
    run.summary["roc_auc"] = metric
    run.finish()
    return run


my_run = track(0.7, platform_run_id="x")

# %% 1 right switch_of_the_environment
os.environ["WANDB_MODE"] = "offline"
my_run = wandb.init(project="lesson-6", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong metric_in_the_config hint="what was chosen before"
my_run = wandb.init(
    project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "7", "roc_auc": 0.7}
)
my_run.finish()

# %% 1 wrong no_tags hint="tags= takes a list"
my_run = wandb.init(project="lesson-6", mode="offline", config={"platform_run_id": "7"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong no_config hint="nobody finds the run"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"])
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong percent hint="is 70, not the number 0.7"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 70
my_run.finish()

# %% 1 wrong disabled hint="mode="
my_run = wandb.init(project="lesson-6", mode="disabled", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong not_finished hint="finish()"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 0.7

# %% 1 wrong finish_not_called hint="finish()"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 0.7
my_run.finish

# %% 1 wrong tags_in_one_text hint="takes a list"
my_run = wandb.init(project="lesson-6", mode="offline", tags="lesson,tiny", config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong one_tag hint="tags"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong what_finish_returns
run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
run.summary["roc_auc"] = 0.7
my_run = run.finish()

# %% 1 wrong run_id_in_the_summary hint="not in its config"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"])
my_run.summary.update({"roc_auc": 0.7, "platform_run_id": "x"})
my_run.finish()

# %% 1 wrong empty_run_id hint="platform_run_id"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": ""})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong text_for_a_number hint="'0.7'"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = "0.7"
my_run.finish()

# %% 1 wrong other_metric hint="roc_auc"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["auc"] = 0.7
my_run.finish()

# %% 1 wrong overwritten_metric hint="0.6"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.log({"roc_auc": 0.7})
my_run.log({"roc_auc": 0.6})
my_run.finish()

# %% 1 wrong nan hint="not the number 0.7"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = float("nan")
my_run.finish()

# %% 1 wrong other_project hint="lesson_6"
my_run = wandb.init(project="lesson_6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.summary["roc_auc"] = 0.7
my_run.finish()

# %% 1 wrong summary_after_the_end hint="ended with UsageError" raises="UsageError"
my_run = wandb.init(project="lesson-6", mode="offline", tags=["lesson", "tiny"], config={"platform_run_id": "x"})
my_run.finish()
my_run.summary["roc_auc"] = 0.7

# %% 1 wrong configuration_alone hint="is a dict"
my_run = {"project": "lesson-6", "mode": "offline", "tags": ["lesson", "tiny"], "platform_run_id": "x", "roc_auc": 0.7}

# %% 1 wrong not_called hint="wandb.init"
my_run = wandb.init

# %% 2 right metadata_afterwards
my_artifact = wandb.Artifact(name="late-arrival", type="model", description="x")
my_artifact.add_file(local_path=str(model_file), name="model.skops")
my_artifact.metadata["fingerprint"] = "1fdff"

# %% 2 right written_into_it
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
with my_artifact.new_file("model.skops", mode="wb") as file:
    file.write(model_file.read_bytes())

# %% 2 right folder
import shutil
import tempfile

folder = tempfile.mkdtemp()
shutil.copy(model_file, folder)
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
my_artifact.add_dir(folder)

# %% 2 right own_function
def make(path, **metadata):
    artifact = wandb.Artifact("late-arrival", type="model")
    artifact.metadata.update(metadata)
    artifact.add_file(str(path))
    return artifact


my_artifact = make(model_file, fingerprint="1f")

# %% 2 right metadata_assigned
my_artifact = wandb.Artifact("late-arrival", "model")
my_artifact.metadata = {"fingerprint": "1fdff17562a0", "trials": 2}
my_artifact.add_file(str(model_file))

# %% 2 right path_object
my_artifact = wandb.Artifact("late-arrival", type="model", metadata=dict(fingerprint="any text"))
my_artifact.add_file(model_file)

# %% 2 right more_than_asked
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f", "roc_auc": 0.7})
my_artifact.add_file(str(model_file))
my_artifact.add_file(str(model_file), name="copy/model.skops")
with my_artifact.new_file("README.md") as file:
    file.write("A model.")

# %% 2 right with_a_policy
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file), policy="immutable")

# %% 2 right unpacked
arguments = {"name": "late-arrival", "type": "model", "metadata": {"fingerprint": "1f"}}
my_artifact = wandb.Artifact(**arguments)
my_artifact.add_file(f"{store}/model.skops")

# %% 2 wrong dataset hint="groups artifacts by type"
my_artifact = wandb.Artifact("late-arrival", type="dataset", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file))

# %% 2 wrong no_file hint="no file"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f", "file": str(model_file)})

# %% 2 wrong no_metadata hint="fingerprint is None"
my_artifact = wandb.Artifact("late-arrival", type="model")
my_artifact.add_file(str(model_file))

# %% 2 wrong underscore hint="late_arrival"
my_artifact = wandb.Artifact("late_arrival", type="model", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file))

# %% 2 wrong empty_file hint="not the one"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
with my_artifact.new_file("model.skops") as file:
    pass

# %% 2 wrong other_content hint="not the one"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
with my_artifact.new_file("model.skops") as file:
    file.write(str(model_file))

# %% 2 wrong nested_metadata hint="fingerprint is None"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"run": {"fingerprint": "1f"}})
my_artifact.add_file(str(model_file))

# %% 2 wrong in_a_folder hint="models/model.skops"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file), name="models/model.skops")

# %% 2 wrong other_file_name hint="It holds model"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file), name="model")

# %% 2 wrong fingerprint_is_true hint="fingerprint is True"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": True})
my_artifact.add_file(str(model_file))

# %% 2 wrong fingerprint_is_a_number hint="fingerprint is 17562"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": 17562})
my_artifact.add_file(str(model_file))

# %% 2 wrong empty_fingerprint hint="fingerprint is ''"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": ""})
my_artifact.add_file(str(model_file))

# %% 2 wrong exchanged hint="Its type is 'late-arrival'"
my_artifact = wandb.Artifact("model", type="late-arrival", metadata={"fingerprint": "1f"})
my_artifact.add_file(str(model_file))

# %% 2 wrong fingerprint_in_the_description hint="fingerprint is None"
my_artifact = wandb.Artifact("late-arrival", type="model", description="fingerprint: 1f")
my_artifact.add_file(str(model_file))

# %% 2 wrong what_add_file_returns hint="wandb.Artifact(name"
my_artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"}).add_file(str(model_file))

# %% 2 wrong forgotten_return
def make():
    artifact = wandb.Artifact("late-arrival", type="model", metadata={"fingerprint": "1f"})
    artifact.add_file(str(model_file))


my_artifact = make()

# %% 2 wrong path hint="wandb.Artifact(name"
my_artifact = model_file

# %% 2 wrong no_type raises="TypeError"
my_artifact = wandb.Artifact("late-arrival", metadata={"fingerprint": "1f"})
