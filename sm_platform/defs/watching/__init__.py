"""What runs by itself: new scenes to maps, gaps found, passes expected, regions prepared.

Sensors list and ask for runs; the lake says what is there. So a lost cursor, a second tick or a
killed daemon costs a listing and no map: what stands is found standing.
"""
