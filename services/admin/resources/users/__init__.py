"""Users: the people of an account."""
