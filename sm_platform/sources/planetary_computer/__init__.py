"""The Planetary Computer: excerpts of the images that its STAC catalogue lists."""
