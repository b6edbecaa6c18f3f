"""Lab 4: the training pipeline as Modal functions."""
