"""Other people's file formats, one a module: a path in, values with units out, nothing else.

Each reader keeps the file's own grid and resolution, decides what is missing before any arithmetic,
and refuses with a GranuleError that names the file, the field and the next step.
"""
