"""What a column, a feature, a layer *is*: names, units, order, ranges, keys."""
