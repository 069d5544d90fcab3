"""Judging soil-moisture readings: values at sites with their reason, and their nearest pass."""
