"""Maps: product arrays, their files (COG, STAC item, pictures), figures and exports."""
