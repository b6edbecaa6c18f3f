"""Lab 1: the training pipeline on Airflow."""
