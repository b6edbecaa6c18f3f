"""Setting up a machine, and the container image and services: knows nothing of pipelines."""
