"""Google Earth Engine: pixels computed on the grid that is asked for."""
