"""Settings of the signed-in account."""
