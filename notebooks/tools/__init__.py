"""What the author of a lesson runs: build the notebooks, execute them, and publish the course site."""
