"""Accounts from sign-up to deletion: registration, profiles, migration; and how remote accounts are recorded."""
