"""The lake: where every byte of ours lies, and how it is written whole or not at all."""
