"""Speed of our own code as ratios against plain references; each prints one JSON line."""
