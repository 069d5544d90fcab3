"""sm_platform: soil moisture at 100 m from Sentinel-1, with its lineage."""

__version__ = "0.1.0"
