"""Lab 3: the training pipeline as Dagster assets."""
