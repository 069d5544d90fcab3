"""What is told to a person who does not look: failures, silence, staleness; by webhook and mail.

Alerts are noted in the lake first (each once a day) and sent from there, so that a channel that is
down loses none. What leaves the platform passes through `sources/masking.py`.
"""
