"""Rows and pure rules: accounts, posts, policies, and the one answer to who may see what. Nothing here writes."""
