"""Rows and pure rules: accounts, posts, policies, and the visibility of posts. Nothing here writes."""
