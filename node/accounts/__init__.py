"""Accounts, local and remote: the rows, their keys, and how two accounts stand to each other."""
