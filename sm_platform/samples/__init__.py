"""Samples: labels paired with the inputs of the network, their roles, weights and files."""
