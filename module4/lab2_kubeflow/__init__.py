"""Lab 2: Kubeflow Pipelines."""
