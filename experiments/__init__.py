"""Questions whose answers stand in LOG.md, kept so that they can be asked again."""
