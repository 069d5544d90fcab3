"""Ratios of the platform's hot paths against plain references, one module each."""
