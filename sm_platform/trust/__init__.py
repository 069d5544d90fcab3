"""How good and how sure: scores of predictions against a named reference."""
