"""NASA Earthdata: granules of its archives, found in its catalogue."""
