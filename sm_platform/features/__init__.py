"""Drivers of a region and a radar pass in, scaled rows of the network and quality bits out."""
