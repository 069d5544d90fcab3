"""Pairing labels with the inputs of the network, and the roles of their blocks."""
