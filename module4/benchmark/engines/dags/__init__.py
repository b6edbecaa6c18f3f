"""The folder of DAGs that Airflow reads."""
