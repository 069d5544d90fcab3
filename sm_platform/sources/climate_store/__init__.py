"""The Copernicus Climate Data Store: ERA5-Land by requests that wait in a queue."""
