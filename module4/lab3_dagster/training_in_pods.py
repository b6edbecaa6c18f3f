"""What the code server in a cluster loads: the same definitions, and a training whose steps are Kubernetes jobs.

The image, volumes and limits of a job come from the cluster's instance (infra/kubernetes/dagster/dagster.yaml).
"""

import dagster as dg
from dagster_k8s import k8s_job_executor

from module4.lab3_dagster import definitions
from module4.lab3_dagster.automation import TRAINING

# A step needs the image and the store; only the run, which starts the steps' jobs, talks to Kubernetes.
in_pods = k8s_job_executor.configured(
    {"max_concurrent": 4, "step_k8s_config": {"pod_spec_config": {"automount_service_account_token": False}}},
    name="in_pods",
)
training_in_pods = dg.define_asset_job(
    "training_in_pods", selection=dg.AssetSelection.groups("training"), executor_def=in_pods, tags=TRAINING
)
defs = dg.Definitions.merge(definitions.defs, dg.Definitions(jobs=[training_in_pods]))
