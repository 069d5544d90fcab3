"""Asset checks: what is said of tables and maps after they were made, rule by rule."""
