"""The Dagster side: partitions, resources, assets and how runs are started."""
