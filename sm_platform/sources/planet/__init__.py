"""Planet: soil water content of the subscriptions that an account has."""
