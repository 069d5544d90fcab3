"""What runs by itself, tried on small lakes and archives."""
