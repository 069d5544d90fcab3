"""How granules are obtained: the protocol of a source, and the sources that keep it."""
