"""Apps, their functions and deployments, calls of these functions, logs and schedules."""
