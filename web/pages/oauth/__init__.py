"""Apps that ask people for their account."""
