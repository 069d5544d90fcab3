"""Gradient boosting on the rows of the networks: fitting, plain arrays, prediction, checkpoints."""
