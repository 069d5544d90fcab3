"""Assets, one file a subject; thin: receive, ask, compute by one call, write, report."""
