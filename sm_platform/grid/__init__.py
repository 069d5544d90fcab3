"""Where and when: grids, windows, calendars. Imports nothing else of ours but the errors."""
