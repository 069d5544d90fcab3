"""The processes that serve the graph: how they are kept running, how much runs at once."""
