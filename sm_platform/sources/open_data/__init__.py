"""Open buckets and file servers: soil, elevation, land cover as excerpts of large rasters."""
