"""Sentinel Hub of the Copernicus Data Space: Sentinel-1 frames on a UTM grid."""
