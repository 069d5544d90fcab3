"""Backfills: years of days of several regions, as one request that the daemon carries out."""
