"""A folder of files that a person brought as labels."""
