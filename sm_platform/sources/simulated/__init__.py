"""A small physical world: its truth, its radar, and the provider files that show it degraded."""
