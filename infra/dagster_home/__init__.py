"""Dagster as services: an instance's configuration per way to run a run, and a launcher that notices lost runs."""
