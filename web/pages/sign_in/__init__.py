"""Signing in and signing up, the second step, and ways back in."""
