"""Joining, profiles, moving and leaving; remote accounts as they come in."""
