"""Where labels are read: cells of pure land cover, spread over a region, with their blocks."""
